"""Tables are byte for byte those of the command line; needs the program, in KSHOT_PROGRAM or beside the clone."""

import os
import subprocess
from pathlib import Path

import kshot
import numpy as np
import pytest

PROGRAM = Path(os.environ.get("KSHOT_PROGRAM", Path(__file__).resolve().parents[2] / "target/release/kshot"))
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"no program at {PROGRAM}")

SPLITS = [("base", 6), ("validation", 4), ("novel", 8)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder of features with splits and class embeddings, and the same in memory."""
    folder = tmp_path_factory.mktemp("store") / "features"
    folder.mkdir()
    random = np.random.default_rng(5)
    classes = [f"{split} {number}" for split, count in SPLITS for number in range(count)]
    centres = random.normal(size=(len(classes), 16))
    y = [name for name in classes for _ in range(45)]
    X = (np.repeat(centres, 45, axis=0) + random.normal(size=(len(y), 16))).astype(np.float16)
    vectors = (centres @ random.normal(size=(16, 16))).astype(np.float32)
    splits = {name: name.split()[0] for name in classes}
    np.save(folder / "features.npy", X)
    np.save(folder / "class_embeddings.npy", vectors)
    (folder / "items.csv").write_text("class\n" + "".join(f"{name}\n" for name in y))
    (folder / "splits.csv").write_text("class,split\n" + "".join(f"{name},{split}\n" for name, split in splits.items()))
    return folder, X, y, splits, vectors


def line(folder, out, *words):
    subprocess.run(
        [PROGRAM, "evaluate", *words, "--features", folder, "--out", out], check=True, capture_output=True, cwd=out.parent
    )


def same(one, other):
    names = sorted(path.name for path in one.iterdir() if path.name != "run.json" and not path.name.startswith("."))
    assert names == sorted(path.name for path in other.iterdir() if path.name != "run.json" and not path.name.startswith("."))
    assert {"summary.csv", "episodes.csv", "outcomes.csv", "bins.csv", "draw.csv"} <= set(names)
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize(
    ("protocol", "learners"),
    [
        ("any-5way-1shot", ["prototypical", "linear-probe:C=10", "k-nn"]),
        ("any-5way-5shot", ["ridge", "svm", "simpleshot"]),
        ("any-20way-5shot", None),
        ("any-unbalanced", ["prototypical", "matching"]),
        ("any-5way-zero-to-20", None),
        ("any-zero-shot", None),
    ],
)
def test_the_bytes_of_the_command_line(store, tmp_path, protocol, learners):
    folder, X, y, splits, vectors = store
    if protocol == "any-20way-5shot":
        sizes, line_sizes = {"way": 8}, ["--way", "8"]
    else:
        sizes, line_sizes = {}, []
    episodes = 3 if protocol == "any-zero-shot" else 200
    words = [protocol, "--episodes", str(episodes), *line_sizes]
    for learner in learners or []:
        words += ["--learner", learner]
    line(folder, tmp_path / "line", *words)
    r = kshot.evaluate(
        X, y, splits=splits, class_embeddings=vectors, protocol=protocol, episodes=episodes, learners=learners, progress=False, **sizes
    )
    r.save(tmp_path / "python")
    same(tmp_path / "line", tmp_path / "python")


def test_rules_of_ones_own_are_a_protocol_of_ones_own(store, tmp_path):
    folder, X, y, splits, _ = store
    rules = {"way": 4, "shot": [1, 3], "query": 7, "episodes": 50, "seed": 3}
    _, text = kshot._rules.protocol(None, **rules)
    (tmp_path / "custom.toml").write_text(text)
    line(folder, tmp_path / "line", "custom.toml", "--learner", "ridge")
    r = kshot.evaluate(X, y, splits=splits, learners="ridge", out=tmp_path / "python", progress=False, **rules)
    for name in ("summary.csv", "episodes.csv", "outcomes.csv", "bins.csv", "draw.csv"):
        assert (tmp_path / "line" / name).read_bytes() == (r.folder / name).read_bytes(), name


def test_a_comparison_and_a_selection_are_those_of_the_command_line(store, tmp_path):
    folder, X, y, splits, _ = store
    learners = ["prototypical", "ridge"]
    words = [word for learner in learners for word in ("--learner", learner)]
    line(folder, tmp_path / "line", "any-5way-5shot", "--episodes", "100", *words)
    compare = ["compare", tmp_path / "line", "--baseline", "prototypical", "--margin", "0.5", "--out", tmp_path / "comparison"]
    subprocess.run([PROGRAM, *compare], check=True, capture_output=True)
    kshot.read(tmp_path / "line").compare(baseline="prototypical", margin=0.5).save(tmp_path / "ours")
    for path in (tmp_path / "ours").iterdir():
        assert path.read_bytes() == (tmp_path / "comparison" / path.name).read_bytes(), path.name
    select = ["select", "any-5way-5shot", "--way", "4"] if False else ["select", "any-5way-5shot"]
    (tmp_path / "small.toml").write_text(kshot._rules.protocol(None, way=4, shot=5, query=15, episodes=100, name="small")[1])
    select = ["select", tmp_path / "small.toml", "--features", folder, "--learner", "k-nn:k=1|3", "--episodes", "60"]
    subprocess.run([PROGRAM, *select, "--out", tmp_path / "selected"], check=True, capture_output=True)
    chosen = kshot.select(
        X, y, splits=splits, way=4, shot=5, query=15, protocol_name="small", learners="k-nn:k=1|3", episodes=60, progress=False
    )
    assert chosen.toml == (tmp_path / "selected" / "selected.toml").read_text()
