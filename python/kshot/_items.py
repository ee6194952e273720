"""Feature sets of a run, from arrays or paths."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from . import _arrays, _kshot, _labels
from .errors import DataError, RequestError


def is_path(thing: Any) -> bool:
    """Whether it names features, and does not hold them."""
    return isinstance(thing, (str, os.PathLike))


class Items:
    """What is said of the items of a run: classes, splits, parts, groups, ids."""

    def __init__(
        self,
        y: Any,
        y_test: Any = None,
        *,
        splits: Mapping[Any, str] | None = None,
        groups: Any = None,
        ids: Any = None,
        part: Any = None,
        unseen: str | None = None,
    ) -> None:
        labels = _labels.names(y)
        if y_test is not None:
            if part is not None:
                raise RequestError("`part` says which items are the test set already, leave X_test out")
            test = _labels.names(y_test, "labels of the test set")
            self.part = ["train"] * len(labels) + ["test"] * len(test)
            labels = labels + test
        else:
            self.part = [] if part is None else _labels.names(part, "parts")
        self.count = len(labels)
        names, codes = _labels.codes(labels)
        self.about = {
            "names": names,
            "codes": codes,
            "splits": None if splits is None else [(str(name), str(split)) for name, split in splits.items()],
            "part": self.part,
            "group": [] if groups is None else _labels.names(groups, "groups"),
            "id": [] if ids is None else [os.fspath(one) if is_path(one) else str(one) for one in _listed(ids)],
            "unseen": unseen,
        }

    def name_rows(self) -> None:
        """Items without ids are called by their rows, so that several feature sets are of the same items."""
        if not self.about["id"]:
            self.about["id"] = [f"row:{row}" for row in range(self.count)]

    def features(self, name: str, X: Any, X_test: Any = None, class_embeddings: Any = None) -> _kshot.Features:
        """A feature set of these items."""
        what = "features" if name == "features" else f"features `{name}`"
        array = _arrays.matrix(X, what)
        if X_test is not None:
            test = _arrays.matrix(X_test, f"{what} of the test set")
            if test.shape[1] != array.shape[1]:
                raise DataError(
                    f"{what} have {array.shape[1]} numbers per item, those of the test set {test.shape[1]}"
                )
            array = np.concatenate([array, test.astype(array.dtype) if test.itemsize < array.itemsize else test])
        if len(array) != self.count:
            raise DataError(f"{what} are of {len(array)} items, and there are {self.count} labels")
        vectors = None
        if class_embeddings is not None:
            classes = np.ascontiguousarray(_arrays.matrix(class_embeddings, "class embeddings"), np.float32)
            vectors = (_arrays.raw(classes), int(classes.shape[1]))
        return _kshot.Features(
            name, _arrays.raw(array), _arrays.element(array), int(array.shape[1]), self.about, vectors
        )


def _listed(ids: Any) -> Iterable[Any]:
    for attribute in ("to_pylist", "tolist", "to_list"):
        if hasattr(ids, attribute):
            return list(getattr(ids, attribute)())
    return list(ids)


def sets(X: Any, X_test: Any, y: Any, name: str, items: Any, class_embeddings: Any) -> tuple[list[_kshot.Features], list[str]]:
    """Feature sets in memory, and those that are named by a path or as a dataset."""
    named = dict(X) if isinstance(X, Mapping) else {name: X}
    if not named:
        raise RequestError("no features are given")
    paths = [is_path(one) for one in named.values()]
    if any(paths):
        if not all(paths) or y is not None or X_test is not None:
            raise RequestError("features are all named by paths, with labels of their own, or all given as arrays with y")
        labelled = isinstance(X, Mapping)
        return [], [f"{label}={os.fspath(one)}" if labelled else os.fspath(one) for label, one in named.items()]
    if y is None:
        raise RequestError("labels are missing\nhint: evaluate(X, y, …)")
    tests = dict(X_test) if isinstance(X_test, Mapping) else ({name: X_test} if X_test is not None else {})
    if tests and list(tests) != list(named):
        raise RequestError(f"the test set has features {list(tests)}, expected {list(named)}")
    about: Items = items()
    if len(named) > 1:
        about.name_rows()
    return [
        about.features(str(label), one, tests.get(label), class_embeddings) for label, one in named.items()
    ], []
