"""Folders of results: tables, comparisons, pages."""

from __future__ import annotations

import csv
import html
import importlib.util
import io
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from . import _kshot
from .errors import RequestError

if TYPE_CHECKING:
    from ._ranks import Ranks

Frames = Literal["pandas", "polars", "pyarrow", "columns"]
Folder = str | os.PathLike[str]

#: Columns of whole numbers and of real ones, beside those of metrics; all others are text.
WHOLE = {"draw", "draws", "methods", "data_sets", "rank", "dense_rank", "rank_low", "rank_high", "rank_a", "rank_b"}
WHOLE |= {"adjacent", "adjacent_significant", "small_gaps", "small_gaps_significant", "top_ten", "top_ten_significant"}
WHOLE |= {"version", "episodes", "classes", "episode", "correct", "total", "bin", "count", "label", "item", "trial", "in_scope", "oos"}
REAL = {"mean", "margin", "difference", "degrees", "p", "p_sign_flip", "p_holm_adjacent", "p_holm_all"}
REAL |= {"mean_rank", "borda", "critical_difference", "p_iman_davenport"}
REAL |= {"value", "low", "high", "level", "confidence", "confidence_score", "temperature", "threshold", "score", "seconds"}
#: Columns that hold a word or whole numbers, such as `all` or 5: numbers where every field is one.
EITHER = {"way", "shot", "query", "seed", "seed_train"}


class Results:
    """What a run leaves behind: a folder of tables, as the command line writes it."""

    def __init__(self, folder: Folder, *, passing: Path | None = None, notes: Sequence[str] = ()) -> None:
        self.folder = Path(folder)
        #: What a reader should know, as it was warned of.
        self.warnings = list(notes)
        if passing is not None:
            # A folder that nobody named goes with its last user.
            weakref.finalize(self, shutil.rmtree, passing, ignore_errors=True)
        self._shown: str | None = None

    @property
    def summary(self) -> Any:
        """``summary.csv``: a row per method, shot, metric and interval."""
        return self.frame("summary")

    @property
    def episodes(self) -> Any:
        """``episodes.csv``: a row per method, shot and episode."""
        return self.frame("episodes")

    @property
    def outcomes(self) -> Any:
        """``outcomes.csv``: a row per method, shot, episode and class."""
        return self.frame("outcomes")

    def frame(self, name: str, kind: Frames | None = None) -> Any:
        """A table of the folder by its name: of pandas or polars where they are installed, of Arrow otherwise."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            there = ", ".join(sorted(path.stem for path in self.folder.glob("*.csv")))
            raise RequestError(f"the results have no table `{name}`, expected one of {there}")
        return frame(path.read_bytes(), kind)

    @property
    def table(self) -> str:
        """The table for people, as the command line prints it."""
        return _kshot.table(self.folder)

    def compare(
        self, *, baseline: str | None = None, margin: float | str | None = None, metric: str | None = None
    ) -> Comparison:
        """Compares the methods: all with all, or all with a baseline.

        ``margin`` is the smallest difference that matters, in points of accuracy, or as ``"10%-of-error"``; without it nothing
        is called equivalent.
        """
        return compare(self, baseline=baseline, margin=margin, metric=metric)

    def report(
        self, path: Folder, *, baseline: str | None = None, margin: float | str | None = None, overwrite: bool = False
    ) -> Path:
        """Writes one page that opens anywhere: tables, plots, and what can be claimed."""
        return report(self, path, baseline=baseline, margin=margin, overwrite=overwrite)

    def save(self, folder: Folder, *, overwrite: bool = False) -> Results:
        """Copies the files into a folder, which must not hold results."""
        place = Path(folder)
        if (place / "run.json").exists() and not overwrite:
            raise RequestError(f"{place} holds results already\nhint: name another folder, or give overwrite=True")
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".kshot-") as fresh:
            copy = Path(fresh) / "results"
            shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns(".*"))
            place.mkdir(exist_ok=True)
            names = sorted(copy.iterdir(), key=lambda path: path.name == "run.json")
            # The record goes first and comes last, so that a folder which has one is whole.
            (place / "run.json").unlink(missing_ok=True)
            for path in names:
                os.replace(path, place / path.name)
        return Results(place, notes=self.warnings)

    def __repr__(self) -> str:
        return self.table

    def _repr_html_(self) -> str:
        if self._shown is None:
            self._shown = _table_html(self.table) + _figure(self)
        return self._shown


class Comparison:
    """Methods compared on the episodes that they share."""

    def __init__(self, text: str, written: bytes, markdown: str, latex: str, ranks: bytes | None) -> None:
        #: For people.
        self.text = text
        #: ``comparison.md`` and ``comparison.tex``.
        self.markdown, self.latex = markdown, latex
        self._csv, self._ranks = written, ranks

    @property
    def table(self) -> Any:
        """``comparison.csv``: a row per pair of methods and population."""
        return self.frame()

    def frame(self, kind: Frames | None = None) -> Any:
        """``comparison.csv`` as a frame."""
        return frame(self._csv, kind)

    def save(self, folder: Folder, *, overwrite: bool = False) -> Path:
        """Writes ``comparison.csv``, ``.md`` and ``.tex``, and for several data sets ``ranks.csv``."""
        files: dict[str, bytes] = {
            "comparison.csv": self._csv,
            "comparison.md": self.markdown.encode(),
            "comparison.tex": self.latex.encode(),
        }
        if self._ranks is not None:
            files["ranks.csv"] = self._ranks
        return write(files, folder, overwrite)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


def write(files: dict[str, bytes], folder: Folder, overwrite: bool) -> Path:
    """Writes files into a folder, which must not hold one of their names."""
    place = Path(folder)
    there = [name for name in files if (place / name).exists()]
    if there and not overwrite:
        raise RequestError(f"{place / there[0]} is there already\nhint: name another place, or give overwrite=True")
    place.mkdir(parents=True, exist_ok=True)
    for name, written in files.items():
        (place / name).write_bytes(written)
    return place


def read(folder: Folder) -> Results:
    """The results of a folder, written by kshot from wherever it was called."""
    place = Path(folder)
    _kshot.table(place)
    return Results(place)


def _folders(results: Any) -> list[Path]:
    several = results if isinstance(results, (list, tuple)) else [results]
    return [one.folder if isinstance(one, Results) else Path(one) for one in several]


@overload
def compare(
    results: Results | Folder | Sequence[Results | Folder],
    *,
    baseline: str | None = None,
    margin: float | str | None = None,
    metric: str | None = None,
) -> Comparison: ...
@overload
def compare(
    results: Any, *, score: str | None = None, paired: bool | None = None, all_pairs: bool = False
) -> Ranks: ...
def compare(
    results: Any,
    *,
    baseline: str | None = None,
    margin: float | str | None = None,
    metric: str | None = None,
    score: str | None = None,
    paired: bool | None = None,
    all_pairs: bool = False,
) -> Comparison | Ranks:
    """Compares the methods of one or several results, which are paired where items and draw are the same.

    A frame, or a file, is a table of scores that other tools made (``dataset, method, draw, score``): its data sets are ranked,
    and adjacent ranks are tested. ``score`` names its column, ``paired`` says whether draw i is one draw for all methods;
    without it both answers are given.
    """
    from ._ranks import columns, rank

    several = isinstance(results, (list, tuple))
    folder = isinstance(results, Results) or several
    if not folder and (columns(results) is not None or Path(results).is_file()):
        if (baseline, margin, metric) != (None, None, None):
            raise RequestError("a table of scores takes score, paired and all_pairs; baseline, margin and metric are of results")
        return rank(results, score=score, paired=paired, all_pairs=all_pairs)
    if (score, paired, all_pairs) != (None, None, False):
        raise RequestError("results take baseline, margin and metric; score, paired and all_pairs are of a table of scores")
    return Comparison(*_kshot.compare(_folders(results), baseline, margin, metric))


def report(
    results: Any,
    path: Folder,
    *,
    baseline: str | None = None,
    margin: float | str | None = None,
    features: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes one page of one or several results."""
    place = Path(path)
    if place.exists() and not overwrite:
        raise RequestError(f"{place} is there already\nhint: name another place, or give overwrite=True")
    page, _ = _kshot.page(_folders(results), baseline, margin, features)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(page.encode())
    return place


def _installed(kind: Frames | None) -> Frames:
    if kind is not None:
        return kind
    for name in ("pandas", "polars", "pyarrow"):
        if importlib.util.find_spec(name) is not None:
            return name
    return "columns"


def _type(name: str, metrics: set[str]) -> type:
    return int if name in WHOLE else float if name in REAL or name in metrics else str


def _numbers(texts: Any) -> bool:
    """Whether all of some texts are whole numbers, or missing."""
    known = [text for text in texts if text]
    return bool(known) and all(text.isdigit() and len(text) < 19 for text in known)


def frame(written: bytes, kind: Frames | None = None, *, real: Set[str] = frozenset()) -> Any:
    """A table of results; empty fields of numbers are missing values, texts stay as they are."""
    kind = _installed(kind)
    names = next(csv.reader(io.StringIO(written[: written.index(b"\n") + 1].decode())))
    metrics = {metric.replace("-", "_") for metric in _kshot.metrics()} | set(_kshot.metrics())
    types = {name: float if name in real else _type(name, metrics) for name in names}
    either = [name for name in names if name in EITHER]
    reader = {"pandas": _pandas, "polars": _polars, "pyarrow": _pyarrow, "columns": _columns}.get(kind)
    if reader is None:
        raise RequestError(f"frames are of pandas, polars, pyarrow or columns, got {kind!r}")
    return reader(written, types, either)


def _version(module: Any) -> tuple[int, int]:
    major, minor, *_ = module.__version__.split(".")
    return int(major), int(minor)


def _pandas(written: bytes, types: dict[str, type], either: list[str]) -> Any:
    import pandas

    dtypes: Any = {name: {int: "Int64", float: "float64", str: str}[kind] for name, kind in types.items()}
    # Doubles are read as the very numbers that were written; `NA` may be the name of a class.
    empty: Any = {name: [""] for name, kind in types.items() if kind is not str}
    # From 3.1 on that is how they are read, and asking for it is deprecated.
    exact: Any = {} if _version(pandas) >= (3, 1) else {"float_precision": "round_trip"}
    read = pandas.read_csv(io.BytesIO(written), dtype=dtypes, keep_default_na=False, na_values=empty, **exact)
    for name in either:
        if _numbers(read[name].unique()):
            read[name] = pandas.to_numeric(read[name]).astype("Int64")
    return read


def _polars(written: bytes, types: dict[str, type], either: list[str]) -> Any:
    import polars

    kinds = {int: polars.Int64, float: polars.Float64, str: polars.String}
    schema = {name: kinds[kind] for name, kind in types.items()}
    read = polars.read_csv(io.BytesIO(written), schema=schema).with_columns(polars.col(polars.String).fill_null(""))
    whole = [name for name in either if _numbers(read[name].unique().to_list())]
    return read.with_columns(polars.col(name).cast(polars.Int64, strict=False) for name in whole)


def _pyarrow(written: bytes, types: dict[str, type], either: list[str]) -> Any:
    import pyarrow
    from pyarrow import compute
    from pyarrow import csv as arrow_csv

    kinds = {int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    schema = {name: kinds[kind] for name, kind in types.items()}
    options = arrow_csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=False)
    read = arrow_csv.read_csv(io.BytesIO(written), convert_options=options)
    for name in either:
        if _numbers(read[name].unique().to_pylist()):
            missing = compute.equal(read[name], "")
            texts = compute.if_else(missing, pyarrow.scalar(None, pyarrow.string()), read[name])
            read = read.set_column(read.column_names.index(name), name, texts.cast(pyarrow.int64()))
    return read


def _columns(written: bytes, types: dict[str, type], either: list[str]) -> Any:
    rows = list(csv.reader(io.StringIO(written.decode())))[1:]
    columns: dict[str, list[Any]] = {}
    for place, (name, kind) in enumerate(types.items()):
        texts = [row[place] for row in rows]
        kind = int if name in either and _numbers(set(texts)) else kind
        columns[name] = texts if kind is str else [kind(text) if text else None for text in texts]
    return columns


def _table_html(table: str) -> str:
    return f"<pre>{html.escape(table)}</pre>"


def _figure(results: Results) -> str:
    """The first plot of the report, as a picture that brings no style with it."""
    import base64

    _, plots = _kshot.page([results.folder])
    if not plots:
        return ""
    _, label, svg = plots[0]
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{html.escape(label)}" src="data:image/svg+xml;base64,{data}">'
