"""Exceptions and warnings. The sentences are those of the command line."""

import sys
import warnings
from collections.abc import Iterable


class KshotError(Exception):
    """Any error of kshot."""


class RequestError(KshotError, ValueError):
    """The request is wrong: exit code 2 of the command line."""


class DataError(KshotError, ValueError):
    """The data is wrong: exit code 3 of the command line."""


class ComputationError(KshotError, RuntimeError):
    """The computation failed: exit code 4 of the command line."""


class KshotWarning(UserWarning):
    """What a reader of results should know."""


class CopyWarning(KshotWarning):
    """Features that cannot be borrowed as they lie, and are copied."""


def tell(sentences: Iterable[str], category: type[KshotWarning]) -> None:
    """Warns, at the line that called into the package."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "kshot":
        level, frame = level + 1, frame.f_back
    for sentence in sentences:
        warnings.warn(sentence, category, stacklevel=level)
