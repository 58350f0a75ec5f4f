"""Progress bar, by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from metron_async.cli.output import clock
from metron_async.cli.progress import Progress, remark

if TYPE_CHECKING:
    from typing import Self

    from metron_async.admission import QuotaState
    from metron_async.mirror import Event, Plan

__all__ = ["BarProgress"]

_NAME, _BAR, _PERCENTAGE = 20, 10, 8  # columns that name, bar and percentage take


class BarProgress(Progress):
    """Bar with the rate, the quota left, and the finishing time, as far as they fit.

    Args:
        plan: Forecast of the run.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        name = Column(max_width=_NAME, no_wrap=True, overflow="ellipsis")
        self._bar = Bar(
            TextColumn("{task.description}", table_column=name, markup=False),
            BarColumn(bar_width=None, table_column=Column(min_width=_BAR, ratio=1)),
            TaskProgressColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[facts]}", table_column=Column(no_wrap=True), markup=False),
            console=Console(stderr=True),
            expand=True,
        )
        self._task = self._bar.add_task(plan.name, total=plan.rows or None, facts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        # What the terminal shows for Ctrl-C moves the cursor: a last bar would stand below it.
        self._bar.live.transient = error[0] is not None
        self._bar.stop()

    def quota(self, state: QuotaState) -> None:
        """Note the state of the quota, and show it."""
        super().quota(state)
        self._update()

    def show(self, event: Event) -> None:
        """Move the bar."""
        line = remark(event)
        if line is not None:
            self._bar.console.print(line, highlight=False, markup=False)
        self._update()

    def _update(self) -> None:
        track = self.tracker
        self._bar.update(
            self._task,
            description=track.what,
            completed=track.done,
            total=track.total or None,
            facts=self._facts(),
        )

    def _facts(self) -> str:
        """Return rate, quota and finishing time, or those of them that have room."""
        track = self.tracker
        rate, quota = track.rate, track.quota_left
        done = f"done {clock(track.finishes_at)}"
        room = self._bar.console.width - min(_NAME, len(track.what)) - _BAR - _PERCENTAGE
        choices = ([rate, quota, done], [quota, done], [quota], [done])
        fitting = ("  ".join(filter(None, facts)) for facts in choices)
        return next((text for text in fitting if len(text) <= room), "")
