"""Tables of scores that other tools made, ranked: which ranks are real?"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import _kshot
from .errors import RequestError
from .results import Folder, Frames, frame, write

#: Names of columns of a table of scores that hold no number.
NAMES = {"task", "subset", "dataset_revision", "mteb_version", "model", "model_revision"}


class Ranks:
    """The methods of every data set in order, and what the order is worth."""

    def __init__(self, text: str, markdown: str, figure: str, tables: list[tuple[str, bytes]]) -> None:
        #: For people.
        self.text = text
        #: ``ranking.md``.
        self.markdown = markdown
        #: ``survival.svg``.
        self.figure = figure
        self._tables = dict(tables)

    @property
    def ranking(self) -> Any:
        """``ranking.csv``: a row per data set, method and rule."""
        return self.frame("ranking")

    @property
    def pairs(self) -> Any:
        """``pairs.csv``: neighbours in rank, or all pairs."""
        return self.frame("pairs")

    @property
    def survival(self) -> Any:
        """``survival.csv``: what differ significantly, a data set, and ``all``."""
        return self.frame("survival")

    @property
    def ranks(self) -> Any:
        """``ranks.csv``: methods over all data sets; refused where no two stand in all of them."""
        return self.frame("ranks")

    def frame(self, name: str, kind: Frames | None = None) -> Any:
        """A table by its name: of pandas or polars where they are installed, of Arrow otherwise."""
        if name not in self._tables:
            raise RequestError(f"the ranking has no table `{name}`, expected one of {', '.join(self._tables)}")
        return frame(self._tables[name], kind)

    def save(self, folder: Folder, *, overwrite: bool = False) -> Path:
        """Writes the tables, ``ranking.md`` and ``survival.svg``."""
        files = {f"{name}.csv": written for name, written in self._tables.items()}
        files |= {"ranking.md": self.markdown.encode(), "survival.svg": self.figure.encode()}
        return write(files, folder, overwrite)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


def columns(table: Any) -> dict[str, list[Any]] | None:
    """The columns of a table of pandas, polars or Arrow, or of a mapping; ``None`` for anything else."""
    if isinstance(table, Mapping):
        return {str(name): list(column) for name, column in table.items()}
    if hasattr(table, "to_pydict"):
        return dict(table.to_pydict())
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):
        return {str(name): list(table[name]) for name in table.columns}
    return None


def rank(table: Any, *, score: str | None, paired: bool | None, all_pairs: bool) -> Ranks:
    """Ranks the methods of a table, or of a file."""
    found = columns(table)
    if found is None:
        return Ranks(*_kshot.rank(None, Path(table), score, paired, all_pairs))
    lengths = {len(column) for column in found.values()}
    if len(lengths) > 1:
        raise RequestError(f"columns must be equally long, got lengths {', '.join(map(str, sorted(lengths)))}")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(found)
    writer.writerows(zip(*found.values(), strict=True))
    return Ranks(*_kshot.rank(out.getvalue().encode(), None, score, paired, all_pairs))


def read_mteb(folder: Folder, kind: Frames | None = None) -> Any:
    """The scores of every draw in a folder of MTEB results, ``MODEL/REVISION/TASK.json``, as a frame for ``kshot.compare``."""
    names, rows = _kshot.read_scores(Path(folder))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return frame(out.getvalue().encode(), kind, real=set(names) - NAMES - {"draw"})
