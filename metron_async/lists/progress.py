"""Progress of a run over many objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._values import show
from metron_async.errors import UsageError
from metron_async.types import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.caller import Caller
    from metron_async.types import Stats, Wait

__all__ = ["Meter"]


class Meter:
    """Counts what a run has done and reports it.

    Args:
        report: Called with each :class:`~metron_async.Progress`; ``None`` reports nothing.
        stats: Counts the requests of the client.

    Raises:
        UsageError: If *report* is not callable.
    """

    def __init__(self, report: Callable[[Progress], object] | None, stats: Stats) -> None:
        if report is not None and not callable(report):
            msg = f"progress must be callable, got {show(report)}"
            raise UsageError(msg)
        self._report = report
        self._stats = stats
        self.start(None)

    def start(self, total: int | None) -> None:
        """Begin a run over *total* items; ``None`` if their number is not known."""
        self.total = total
        self._done = 0
        self._sent_before = self._stats.requests

    def step(self) -> None:
        """Report that one more item is done."""
        self._done += 1
        self._emit(0.0)

    def watched(self, caller: Caller) -> Caller:
        """Return a caller whose waits are reported as well."""
        if self._report is None:
            return caller
        own_hook = caller.options.on_wait

        def on_wait(wait: Wait) -> None:
            if own_hook is not None:
                own_hook(wait)
            self._emit(wait.seconds)

        return caller.with_options(on_wait=on_wait)

    def _emit(self, waiting: float) -> None:
        if self._report is not None:
            sent = self._stats.requests - self._sent_before
            self._report(Progress(self._done, self.total, waiting, sent))
