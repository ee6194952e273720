"""Classes and other columns of items as names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .errors import DataError, RequestError


def names(column: Any, what: str = "labels") -> list[str]:
    """A name per item, of texts, whole numbers, truth values or categories."""
    values = _values(column, what)
    if all(type(value) is str for value in values):
        return values
    # Each different value is named once; `True` and 1 are different.
    known: dict[tuple[type, Any], str] = {}
    named = []
    for row, value in enumerate(values):
        try:
            name = known.get((type(value), value))
        except TypeError:
            name = None
        if name is None:
            name = known.setdefault((type(value), value), _name(value, row, what))
        named.append(name)
    return named


def codes(labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """Each name once in order of first appearance, and the place of each item's."""
    places: dict[str, int] = {}
    of = [places.setdefault(label, len(places)) for label in labels]
    return list(places), of


def _values(column: Any, what: str) -> list[Any]:
    if isinstance(column, (str, bytes)) or column is None or not isinstance(column, Iterable):
        raise RequestError(f"{what} are a {type(column).__name__}, expected one for every item")
    if getattr(column, "ndim", 1) != 1:
        raise DataError(f"{what} have shape {getattr(column, 'shape', None)}, expected one for every item")
    if hasattr(column, "to_pylist"):
        return list(column.to_pylist())
    if hasattr(column, "detach"):
        column = column.detach().cpu()
    kind = getattr(getattr(column, "dtype", None), "kind", "O")
    if kind in "mM":
        raise DataError(f"{what} are times of {getattr(column, 'dtype', None)}, expected texts or whole numbers")
    if hasattr(column, "tolist"):
        return list(column.tolist())
    if hasattr(column, "to_list"):
        return list(column.to_list())
    return list(column)


def _name(value: Any, row: int, what: str) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return str(bool(value))
    try:
        whole = value.__index__()
    except (AttributeError, TypeError):
        whole = None
    if whole is not None:
        return str(whole)
    if value is None or value != value:
        raise DataError(f"item {row} has no value among the {what}")
    hint = "\nhint: y.astype(int)" if isinstance(value, float) else ""
    raise DataError(f"item {row} has {value!r} among the {what}, which are texts or whole numbers{hint}")
