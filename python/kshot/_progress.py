"""How a run goes, shown by tqdm where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

#: `show(number, name, steps, done, open)`, which the run calls about twenty times a second.
Show = Callable[[int, str, int, int, bool], None]


def shown(progress: bool | None) -> Show | None:
    """A bar, where it is wanted and can be had; by default in terminals and notebooks."""
    if progress is None:
        progress = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not progress:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Bar(tqdm)


class _Bar:
    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None
        self._number = 0

    def __call__(self, number: int, name: str, steps: int, done: int, is_open: bool) -> None:
        if number != self._number:
            self._close()
            self._number = number
        if not is_open:
            self._close()
            return
        if self._bar is None:
            self._bar = self._tqdm(total=steps or None, desc=name, leave=False)
        if self._bar.total != (steps or None):
            self._bar.total = steps or None
        if self._bar.desc.rstrip(": ") != name:
            self._bar.set_description(name, refresh=False)
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
