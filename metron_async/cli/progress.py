"""Shows how a mirror gets on: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TextIO

from metron_async.mirror import (
    Deleted,
    DetailFailed,
    DetailsStored,
    PageStored,
    Repeating,
    Started,
    Waiting,
)
from metron_async.mirror.forecast import Allowance, forecast

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from metron_async.mirror import Event, Plan
    from metron_async.quota import QuotaState

__all__ = ["PlainProgress", "Progress", "Tracker", "make_progress"]

_LINE_EVERY = 10.0  # seconds between two plain lines
_LONG_WAIT = 15.0


def make_progress(plan: Plan, *, quiet: bool) -> Progress:
    """Return what shows the progress best: a bar if that is possible."""
    if quiet:
        return Progress(plan)
    if sys.stderr.isatty():
        try:
            from metron_async.cli.bar import BarProgress  # noqa: PLC0415 - rich is an extra
        except ImportError:
            pass
        else:
            return BarProgress(plan)
    return PlainProgress(plan, sys.stderr)


class Tracker:
    """What there is to show: how far the run is, how fast, and until when it goes on.

    Args:
        plan: What the run was expected to cost.
    """

    def __init__(self, plan: Plan) -> None:
        self.requests_left: int = plan.requests
        self.done: int = 0
        self.total: int = plan.rows
        self.what: str = plan.name
        self.quota: QuotaState | None = None
        self._began = time.monotonic()
        self._first: int | None = None

    def note(self, event: Event) -> None:
        """Take in what has happened."""
        if isinstance(event, PageStored) and event.kind != "check":
            self._moved(event.done, event.total, event.rows)
            self.what = event.name if event.kind == "full" else f"{event.name}: changes"
        elif isinstance(event, DetailsStored):
            self._moved(event.done, event.total, 1)
            self.what = f"{event.name}: details"
        if isinstance(event, PageStored | DetailsStored):
            self.requests_left = max(0, self.requests_left - 1)

    def _moved(self, done: int, total: int, step: int) -> None:
        if self._first is None or done < self.done:
            self._first, self._began = done - step, time.monotonic()
        self.done, self.total = done, total

    @property
    def per_minute(self) -> float:
        """Rows a minute, on average."""
        seconds = time.monotonic() - self._began
        return (self.done - (self._first or 0)) / seconds * 60 if seconds > 0 else 0.0

    @property
    def finishes_at(self) -> datetime:
        """When the run will be done, by the quota and by its speed so far."""
        seconds = 0.0
        if self.quota is not None:
            seconds, _ = forecast(self.requests_left, Allowance.of(self.quota))
        if self._first is not None and self.per_minute > 0:
            seconds = max(seconds, (self.total - self.done) / self.per_minute * 60)
        return datetime.now().astimezone() + timedelta(seconds=seconds)

    @property
    def quota_left(self) -> str:
        """What is left of both windows."""
        if self.quota is None:
            return ""
        minute, day = self.quota.burst, self.quota.sustained
        return f"quota {minute.remaining:,}/{minute.limit:,} {day.remaining:,}/{day.limit:,}"


class Progress:
    """Takes in events and shows nothing.

    Args:
        plan: What the run was expected to cost.
    """

    def __init__(self, plan: Plan) -> None:
        self.tracker: Tracker = Tracker(plan)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def event(self, event: Event) -> None:
        """Take in what has happened, and show it."""
        self.tracker.note(event)
        self.show(event)

    def quota(self, state: QuotaState) -> None:
        """Take in how the quota stands."""
        self.tracker.quota = state

    def show(self, event: Event) -> None:
        """Show what has happened."""


class PlainProgress(Progress):
    """Writes a line now and then.

    Args:
        plan: What the run was expected to cost.
        stream: Where to.
    """

    def __init__(self, plan: Plan, stream: TextIO) -> None:
        super().__init__(plan)
        self._stream = stream
        self._next = time.monotonic() + _LINE_EVERY

    def show(self, event: Event) -> None:
        """Write what is worth a line."""
        told = remark(event)
        if told is not None:
            self._write(told)
        elif isinstance(event, PageStored | DetailsStored) and time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            track = self.tracker
            self._write(
                f"{track.what}: {track.done:,} of {track.total:,},"
                f" {track.per_minute:,.0f} a minute, {track.quota_left or 'quota unknown'},"
                f" done at {track.finishes_at:%H:%M}"
            )

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def remark(event: Event | Any) -> str | None:
    """Return a line about an event that is out of the ordinary, or ``None``."""
    match event:
        case Started(name, kind, page) if page > 1:
            return f"{name}: going on at page {page:,} of the {kind} walk"
        case Waiting(seconds, reason, _) if seconds >= _LONG_WAIT:
            until = datetime.now().astimezone() + timedelta(seconds=seconds)
            return f"waiting {seconds:,.0f} s for the {reason}, until {until:%H:%M:%S}"
        case Repeating(name, missing):
            return f"{name}: {missing:,} rows did not show, walking the list again"
        case DetailFailed(name, number, error):
            return f"{name}: {number} could not be had: {error}"
        case Deleted(name, ids):
            return f"{name}: {len(ids):,} are gone from the server, and removed"
        case _:
            return None
