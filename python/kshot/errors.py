"""Exceptions and warnings. The sentences are those of the command line."""


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
