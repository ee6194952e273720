"""The compiled part of the package."""

import os
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__version__: str

@final
class Features:
    def __new__(
        cls,
        name: str,
        numbers: Any,
        element: str,
        dim: int,
        about: dict[str, Any],
        class_embeddings: tuple[Any, int] | None = None,
    ) -> Features: ...
    @property
    def address(self) -> int: ...
    @property
    def name(self) -> str: ...

@final
class Head:
    def __new__(cls, learner: str, support: Any, dim: int, labels: Sequence[int], seed: int) -> Head: ...
    def scores(self, query: Any) -> tuple[NDArray[np.float32], str, bool]: ...

@final
class Own:
    def __new__(
        cls, name: str, function: Callable[..., Any], meaning: str, takes: str, batched: bool, transductive: bool
    ) -> Own: ...

def protocol(named: str | None, rules: dict[str, Any]) -> tuple[str, str]: ...
def sample(
    protocol: tuple[str, str], features: Features
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.int64]]]: ...
def evaluate(
    request: str,
    features: Sequence[Features],
    own: Sequence[Own],
    how: dict[str, Any],
    progress: Callable[[int, str, int, int, bool], None] | None = None,
) -> list[str]: ...
def select(
    asked: dict[str, Any],
    features: Sequence[Features],
    progress: Callable[[int, str, int, int, bool], None] | None = None,
) -> tuple[list[tuple[str, bytes]], list[str]]: ...
def table(folder: str | os.PathLike[str]) -> str: ...
def compare(
    folders: Sequence[str | os.PathLike[str]],
    baseline: str | None = None,
    margin: float | str | None = None,
    metric: str | None = None,
) -> tuple[str, bytes, str, str, bytes | None]: ...
def rank(
    table: bytes | None = None,
    path: str | os.PathLike[str] | None = None,
    score: str | None = None,
    paired: bool | None = None,
    all_pairs: bool = False,
) -> tuple[str, str, str, list[tuple[str, bytes]]]: ...
def read_scores(path: str | os.PathLike[str]) -> tuple[list[str], list[list[str]]]: ...
def page(
    folders: Sequence[str | os.PathLike[str]],
    baseline: str | None = None,
    margin: float | str | None = None,
    features: str | None = None,
) -> tuple[str, list[tuple[str, str, str]]]: ...
def learners() -> list[dict[str, Any]]: ...
def metrics() -> list[str]: ...
def protocols() -> list[str]: ...
