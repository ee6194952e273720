"""The package as a whole: types, import, pickles of nothing that must not be."""

import re
import subprocess
import sys
from pathlib import Path

import kshot
import pytest

HERE = Path(__file__).resolve().parent


def test_stubs_are_what_is_compiled():
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "kshot._kshot", "--allowlist", HERE / "stubtest.txt", "--ignore-unused-allowlist"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_a_program_passes_strict_types(tmp_path):
    pytest.importorskip("mypy")
    settings = HERE.parent / "pyproject.toml"
    for target in (["-p", "kshot", "--config-file", settings], [HERE / "typed_program.py"]):
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, *target], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout


def test_importing_it_imports_neither_numpy_nor_scikit_learn():
    code = "import kshot, sys; print('numpy' in sys.modules, 'sklearn' in sys.modules, 'pandas' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False"] * 3


def test_every_public_name_is_there_and_documented():
    for name in kshot.__all__:
        assert name == "__version__" or getattr(kshot, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute `?'?nothing"):
        kshot.nothing


def test_the_version_is_that_of_the_crate():
    manifest = HERE.parents[1] / "Cargo.toml"
    if not manifest.exists():
        pytest.skip("no sources")
    version = re.search(r'\[workspace.package\]\nversion = "(.*)"', manifest.read_text())
    assert version and kshot.__version__ == version[1]
