"""Frozen episodes as places of items, for programs that answer them themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from . import _kshot, _rules
from ._items import Items
from .errors import DataError

Places = NDArray[np.int64]


class Draws:
    """Episodes, each as the places of its support and of its queries, class by class.

    It is also a splitter for scikit-learn: ``cross_validate(classifier, X, y, cv=kshot.draws(y, …))`` fits on the support
    and scores on the queries of every episode.
    """

    def __init__(self, support: tuple[Places, Places], query: tuple[Places, Places], items: int) -> None:
        self._support, self._query, self._items = support, query, items

    def __len__(self) -> int:
        return len(self._support[1])

    @overload
    def __getitem__(self, episode: int) -> tuple[Places, Places]: ...
    @overload
    def __getitem__(self, episode: slice) -> Draws: ...
    def __getitem__(self, episode: int | slice) -> tuple[Places, Places] | Draws:
        if isinstance(episode, slice):
            chosen = range(*episode.indices(len(self)))
            return Draws(_some(self._support, chosen), _some(self._query, chosen), self._items)
        if not -len(self) <= episode < len(self):
            raise IndexError(f"episode {episode} of {len(self)}")
        place = episode % len(self)
        return _one(self._support, place), _one(self._query, place)

    def __iter__(self) -> Iterator[tuple[Places, Places]]:
        return (self[episode] for episode in range(len(self)))

    def __repr__(self) -> str:
        return f"<{len(self)} episodes of {self._items} items>"

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:
        """The episodes, as scikit-learn asks for them."""
        for given in (X, y):
            count = None if given is None else (given.shape[0] if hasattr(given, "shape") else len(given))
            if count is not None and count != self._items:
                raise DataError(f"the draw is of {self._items} items, got {count}")
        return iter(self)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many episodes there are."""
        return len(self)


def _one(places: tuple[Places, Places], place: int) -> Places:
    all_places, ends = places
    return all_places[ends[place - 1] if place else 0 : ends[place]]


def _some(places: tuple[Places, Places], chosen: range) -> tuple[Places, Places]:
    parts = [_one(places, place) for place in chosen]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    return (np.concatenate(parts) if parts else np.zeros(0, np.int64)), ends


def draws(
    y: Any,
    *,
    X: Any = None,
    way: _rules.Size | None = None,
    shot: _rules.Shots | None = None,
    query: _rules.Size | None = None,
    episodes: int | None = None,
    draws: int | None = None,
    seed: int | None = None,
    protocol: Any = None,
    splits: Any = None,
    groups: Any = None,
    part: Any = None,
    **rules: Any,
) -> Draws:
    """The episodes that :func:`evaluate` has for the same labels and rules.

    ``X`` matters only where rows are bit for bit alike: such items are kept on one side of an episode, and kshot knows them by
    their numbers. Shots are nested there; here an episode has the largest of them.
    """
    count = _rules.count(episodes, draws)
    text = _rules.protocol(protocol, way=way, shot=shot, query=query, episodes=count, seed=seed, **rules)
    items = Items(y, splits=splits, groups=groups, part=part)
    # Rows of zeros are never alike.
    numbers = np.zeros((items.count, 1), np.float32) if X is None else X
    support, queries = _kshot.sample(text, items.features("features", numbers))
    return Draws(support, queries, items.count)
