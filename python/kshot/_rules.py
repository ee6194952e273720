"""The rules of episodes, from arguments."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex, Union

from . import _kshot
from .errors import RequestError

#: A number, ``"all"``, or bounds, as in a rule file.
Size = Union[SupportsIndex, str]
Shots = Union[SupportsIndex, Sequence[int], str]

#: A protocol for the run: where it comes from, and its text.
Text = tuple[str, str]

#: Draws of all classes, where nobody says how many.
ALL_WAY_DRAWS = 1_000


def word(size: Any, key: str) -> str | None:
    """A size as a command line would have it."""
    if size is None or isinstance(size, str):
        return size
    if isinstance(size, range):
        raise RequestError(f"`{key}` is a range, write {{ min = {size.start}, max = {size.stop - 1} }} as text")
    if isinstance(size, (list, tuple)) or getattr(size, "ndim", 0) == 1:
        words = [word(one, key) for one in size]
        return ",".join(one for one in words if one is not None)
    return str(whole(size, key))


def whole(number: Any, key: str) -> int:
    """A whole number that is not below 0."""
    try:
        value = operator.index(number)
    except TypeError:
        raise RequestError(f"`{key}` must be a whole number, got {number!r}") from None
    if not 0 <= value < 2**63:
        raise RequestError(f"`{key}` must be 0 or more, got {value}")
    return value


def count(episodes: Any, draws: Any) -> Any:
    """How many episodes, by either of their names."""
    if episodes is not None and draws is not None:
        raise RequestError("`episodes` and `draws` are the same, give one of them")
    return draws if episodes is None else episodes


def protocol(
    named: Any,
    *,
    way: Any = None,
    shot: Any = None,
    query: Any = None,
    episodes: Any = None,
    seed: Any = None,
    parts: tuple[str, str] | None = None,
    **rules: Any,
) -> Text:
    """The protocol of a run: one that is named, with other sizes, or one of these rules alone."""
    if named is not None and parts is not None:
        raise RequestError("a test set goes with rules of your own, a protocol that is named has its own parts")
    every = way == "all" and named is None
    if every:
        query = "all" if query is None else query
        episodes = ALL_WAY_DRAWS if episodes is None else episodes
    given = {
        "way": word(way, "way"),
        "shot": word(shot, "shot"),
        "query": word(query, "query"),
        "episodes": _bounded(episodes, "episodes", 32),
        "seed": _bounded(seed, "seed", 63),
        "name": None,
        "split": None,
        "parts": parts,
        "settings": None,
        "metrics": None,
        "level": None,
        "repeat": None,
    }
    unknown = [key for key in rules if key not in given]
    if unknown:
        raise RequestError(f"`{unknown[0]}` is no rule of an episode, expected one of {', '.join(given)}")
    given.update(rules)
    return _kshot.protocol(None if named is None else str(named), given)


def _bounded(number: Any, key: str, bits: int) -> int | None:
    if number is None:
        return None
    value = whole(number, key)
    if value >= 2**bits:
        raise RequestError(f"`{key}` must be below {2**bits}, got {value}")
    return value
