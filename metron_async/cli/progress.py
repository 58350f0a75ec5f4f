"""Progress of a mirror: what there is to show, and plain lines that show it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from metron_async.cli.output import clock, duration
from metron_async.mirror import (
    Deleted,
    DetailFailed,
    DetailsStored,
    PageStored,
    Repeating,
    RowSkipped,
    Started,
    Waiting,
)
from metron_async.mirror.forecast import Allowance, forecast

if TYPE_CHECKING:
    from typing import Self

    from metron_async.admission import QuotaState
    from metron_async.mirror import Event, Plan

__all__ = ["PlainProgress", "Progress", "Shown", "Tracker", "remark"]

_LINE_EVERY = 10.0  # seconds between two plain lines
_LONG_WAIT = 15.0


class Tracker:
    """How far a run is, how fast, and when it ends.

    Args:
        plan: Forecast of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self.requests_left: int = plan.requests
        self.done: int = 0
        self.total: int = plan.rows
        self.what: str = plan.name
        self.unit: str = "rows"
        self.quota: QuotaState | None = None
        self._began = time.monotonic()
        self._first: int | None = None

    def note(self, event: Event) -> None:
        """Note an event."""
        if isinstance(event, PageStored) and event.kind != "check":
            self._moved(event.done, event.total, event.rows)
            self.what = event.name if event.kind == "full" else f"{event.name}: changes"
        elif isinstance(event, DetailsStored):
            self._moved(event.done, event.total, 1)
            self.what, self.unit = f"{event.name}: details", "objects"
        if isinstance(event, PageStored | DetailsStored):
            self.requests_left = max(0, self.requests_left - 1)

    def _moved(self, done: int, total: int, step: int) -> None:
        if self._first is None or done < self.done:
            self._first, self._began = done - step, time.monotonic()
        self.done, self.total = done, total

    @property
    def per_minute(self) -> float:
        """Return the average rows, or objects, a minute."""
        seconds = time.monotonic() - self._began
        return (self.done - (self._first or 0)) / seconds * 60 if seconds > 0 else 0.0

    @property
    def rate(self) -> str:
        """Return the average rate with its unit."""
        return f"{self.per_minute:,.0f} {self.unit}/min"

    @property
    def finishes_at(self) -> datetime:
        """Return when the run ends, by the quota and by its average rate so far."""
        seconds = 0.0
        if self.quota is not None:
            seconds, _ = forecast(self.requests_left, Allowance.of(self.quota))
        if self._first is not None and self.per_minute > 0:
            seconds = max(seconds, (self.total - self.done) / self.per_minute * 60)
        return datetime.now().astimezone() + timedelta(seconds=seconds)

    @property
    def quota_left(self) -> str:
        """Return what is left of both windows."""
        if self.quota is None:
            return ""
        minute, day = self.quota.burst, self.quota.sustained
        return f"quota {minute.remaining:,}/{minute.limit:,} {day.remaining:,}/{day.limit:,}"


class Shown:
    """Context in which progress is shown; this one needs no end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Progress(Shown):
    """Progress that shows nothing.

    Args:
        plan: Forecast of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self.tracker: Tracker = Tracker(plan)

    def event(self, event: Event) -> None:
        """Note an event, and show it."""
        self.tracker.note(event)
        self.show(event)

    def quota(self, state: QuotaState) -> None:
        """Note the state of the quota."""
        self.tracker.quota = state

    def show(self, event: Event) -> None:
        """Show an event."""


class PlainProgress(Progress):
    """Progress as a line from time to time.

    Args:
        plan: Forecast of the run.
        stream: Where the lines are written.
    """

    def __init__(self, plan: Plan, stream: TextIO) -> None:
        super().__init__(plan)
        self._stream = stream
        self._next = time.monotonic() + _LINE_EVERY

    def show(self, event: Event) -> None:
        """Write what is worth a line."""
        line = remark(event)
        if line is not None:
            self._write(line)
        elif isinstance(event, PageStored | DetailsStored) and time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            track = self.tracker
            self._write(
                f"{track.what}: {track.done:,} of {track.total:,},"
                f" {track.rate} on average, {track.quota_left or 'quota unknown'},"
                f" done at {clock(track.finishes_at)}"
            )

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def remark(event: Event) -> str | None:  # noqa: PLR0911 - one for each kind of event
    """Return a line about an event that is out of the ordinary, or ``None``."""
    match event:
        case Started(name, kind, page) if page > 1:
            return f"{name}: resuming at page {page:,} of the {kind} walk"
        case Waiting(seconds, reason, _) if seconds >= _LONG_WAIT:
            until = datetime.now().astimezone() + timedelta(seconds=seconds)
            end = clock(until, seconds=True)
            return f"waiting {duration(seconds)} for the {reason}, until {end}"
        case Repeating(name, missing) if missing:
            return f"{name}: rows that are missing: {missing:,}; walking the list again"
        case Repeating(name):
            return f"{name}: the list was edited meanwhile, requesting pages again"
        case RowSkipped(_, _, error):
            return f"skipped: {error}"
        case DetailFailed(name, number, error):
            return f"{name}: {number} could not be read: {error}"
        case Deleted(name, ids):
            return f"{name}: rows removed that are gone from the server: {len(ids):,}"
        case _:
            return None
