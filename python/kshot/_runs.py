"""Evaluations and selections."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import _items, _kshot, _own, _progress, _rules
from .errors import KshotWarning, RequestError, tell
from .results import Folder, Frames, Results, frame


def _text(selected: Any) -> dict[str, str]:
    if isinstance(selected, Selection):
        return {"origin": "selected.toml", "text": selected.toml}
    path = Path(selected)
    return {"origin": str(path), "text": path.read_text()}


def _list(one: Any) -> list[Any]:
    if one is None:
        return []
    return list(one) if isinstance(one, (list, tuple)) else [one]


def evaluate(
    X: Any,
    y: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    *,
    way: _rules.Size | None = None,
    shot: _rules.Shots | None = None,
    query: _rules.Size | None = None,
    episodes: int | None = None,
    draws: int | None = None,
    seed: int | None = None,
    learners: Any = None,
    protocol: Any = None,
    name: str = "features",
    ids: Any = None,
    groups: Any = None,
    splits: Mapping[Any, str] | None = None,
    part: Any = None,
    class_embeddings: Any = None,
    selected: Any = None,
    selected_elsewhere: bool = False,
    queries: bool = False,
    audit: bool = False,
    near: float | None = None,
    until: float | None = None,
    drop_small_classes: bool = False,
    out: Folder | None = None,
    overwrite: bool = False,
    resume: bool = False,
    workers: int | None = None,
    batch: int | None = None,
    device: str = "cpu",
    progress: bool | None = None,
    **rules: Any,
) -> Results:
    """Evaluates learners on the same episodes.

    ``X`` (items, dim) holds features and ``y`` a class per item; a mapping of names to matrices compares backbones on the
    same items, and a path names features of files. Rows of native float16 and float32 that follow one another in memory are
    borrowed, and must not be changed during the run; all others are copied, and a :class:`CopyWarning` says so.

    Without ``protocol`` the rules are ``way`` (5), ``shot`` (1; several are nested), ``query`` (15), ``episodes`` (10,000)
    and ``seed`` (7); with ``way="all"`` queries are all that are left, and 1,000 draws are made. With ``X_test`` and
    ``y_test`` supports come from the training set and queries from the test set. Other keys of rule files are ``split``,
    ``settings``, ``metrics``, ``level``, ``repeat`` and ``name``, as ``protocol_name``.

    ``learners`` are specifications such as ``"linear-probe:C=10"``, functions ``(support, labels, query) -> scores``,
    classifiers of scikit-learn, modules of torch, or a mapping of names to these; without, all that the protocol admits.

    The files go to ``out``, or are kept as long as the results are.
    """
    if "protocol_name" in rules:
        rules["name"] = rules.pop("protocol_name")
    parts = ("train", "test") if X_test is not None or y_test is not None else None
    if parts is not None and (X_test is None or y_test is None):
        raise RequestError("a test set is X_test and y_test, one of them is missing")
    protocols = _list(protocol) or [None]
    count = _rules.count(episodes, draws)
    texts = [
        _rules.protocol(
            one,
            way=way,
            shot=shot,
            query=query,
            episodes=count if one is None else None,
            seed=seed,
            parts=parts,
            **rules,
        )
        for one in protocols
    ]
    specs, owns = _own.given(learners)
    given, paths = _items.sets(
        X,
        X_test,
        y,
        name,
        lambda: _items.Items(y, y_test, splits=splits, groups=groups, ids=ids, part=part),
        class_embeddings,
    )
    request = {
        "protocols": [{"origin": origin, "text": text} for origin, text in texts],
        "episodes": None if protocol is None or count is None else _rules.whole(count, "episodes"),
        "inputs": {"features": paths},
        "learners": specs,
        "selected": [_text(one) for one in _list(selected)],
        "selected_elsewhere": selected_elsewhere,
        "drop_small_classes": drop_small_classes,
        "audit": audit,
        "near": near,
        "queries": "csv" if queries else None,
        "until": None if until is None else str(until),
    }
    folder, passing = _place(out)
    how = {
        "workers": workers,
        "batch": batch,
        "device": device,
        "out": folder,
        "overwrite": overwrite,
        "resume": resume,
        "command": list(sys.argv),
    }
    try:
        notes = _kshot.evaluate(json.dumps(request), given, owns, how, _progress.shown(progress))
    except BaseException:
        if passing is not None:
            shutil.rmtree(passing, ignore_errors=True)
        raise
    tell(notes, KshotWarning)
    return Results(folder, passing=passing, notes=notes)


def _place(out: Folder | None) -> tuple[Path, Path | None]:
    """Where the files go, and the folder around it where nobody named one."""
    if out is not None:
        return Path(os.fspath(out)), None
    passing = Path(tempfile.mkdtemp(prefix="kshot-"))
    return passing / "results", passing


class Selection:
    """Parameters that were selected with the same number of trials for every learner."""

    def __init__(self, files: Sequence[tuple[str, bytes]], notes: Sequence[str]) -> None:
        self._files = dict(files)
        #: What a reader should know.
        self.warnings = list(notes)

    @property
    def toml(self) -> str:
        """``selected.toml``, which :func:`evaluate` takes as ``selected``."""
        name = next(name for name in self._files if name.endswith(".toml"))
        return self._files[name].decode()

    @property
    def trials(self) -> Any:
        """``trials.csv``: every setting that was tried, and its score."""
        return self.frame()

    def frame(self, kind: Frames | None = None) -> Any:
        """``trials.csv`` as a frame."""
        name = next(name for name in self._files if name.endswith("trials.csv"))
        return frame(self._files[name], kind)

    def save(self, folder: Folder, *, overwrite: bool = False) -> Path:
        """Writes the files of the selection."""
        place = Path(folder)
        there = [name for name in self._files if (place / name).exists()]
        if there and not overwrite:
            raise RequestError(f"{place / there[0]} is there already\nhint: name another place, or give overwrite=True")
        place.mkdir(parents=True, exist_ok=True)
        for name, written in self._files.items():
            (place / name).write_bytes(written)
        return place

    def __repr__(self) -> str:
        return self.toml


def select(
    X: Any,
    y: Any = None,
    *,
    splits: Mapping[Any, str] | None = None,
    way: _rules.Size | None = None,
    shot: _rules.Shots | None = None,
    query: _rules.Size | None = None,
    learners: Any = None,
    protocol: Any = None,
    budget: int = 32,
    by: str = "validation",
    episodes: int | None = None,
    seed: int | None = None,
    name: str = "features",
    ids: Any = None,
    groups: Any = None,
    part: Any = None,
    class_embeddings: Any = None,
    workers: int | None = None,
    device: str = "cpu",
    progress: bool | None = None,
    **rules: Any,
) -> Selection:
    """Selects parameters on episodes of validation classes, with the same number of trials for every learner.

    ``splits`` says of each class whether it is ``base``, ``validation`` or ``novel``; novel ones are not looked at. Learners
    are specifications, whose values may be spaces: ``"linear-probe:c=0.01..1000"``.
    """
    if "protocol_name" in rules:
        rules["name"] = rules.pop("protocol_name")
    text = _rules.protocol(protocol, way=way, shot=shot, query=query, seed=seed, **rules)
    specs, owns = _own.given(learners)
    if owns:
        raise RequestError("a learner that is written in Python has no search space, select those of kshot")
    unseen = None if by == "oracle" or splits is None or "novel" not in splits.values() else "novel"
    given, paths = _items.sets(
        X,
        None,
        y,
        name,
        lambda: _items.Items(y, splits=splits, groups=groups, ids=ids, part=part, unseen=unseen),
        class_embeddings,
    )
    asked = {
        "protocol": text,
        "inputs": json.dumps({"features": paths}),
        "learners": specs,
        "budget": budget,
        "by": by,
        "episodes": episodes,
        "seed": seed,
        "device": device,
        "workers": workers,
    }
    files, notes = _kshot.select(asked, given, _progress.shown(progress))
    tell(notes, KshotWarning)
    return Selection(files, notes)
