"""Progress of matching: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from metron_async.cli.output import counted
from metron_async.cli.progress import Shown

if TYPE_CHECKING:
    from metron_async.matching.run import MatchProgress

__all__ = ["Lines", "Silent", "facts_of_run"]

_LINE_EVERY = 10.0


class Silent(Shown):
    """Shows nothing."""

    def show(self, state: MatchProgress) -> None:
        """Show the state of the run."""


class Lines(Silent):
    """Writes a line now and then to the standard error."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_EVERY

    def show(self, state: MatchProgress) -> None:
        """Write a line if the last one is old."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            sys.stderr.write(f"{state.done:,} of {state.total:,} files, {facts_of_run(state)}\n")
            sys.stderr.flush()


def facts_of_run(state: MatchProgress) -> str:
    """Return in a few words what the run has done."""
    return f"{state.decided:,} found, {counted(state.requests, 'requests')}"
