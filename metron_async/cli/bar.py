"""The progress bar, by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from metron_async.cli.progress import Progress, remark

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from metron_async.mirror import Event, Plan
    from metron_async.quota import QuotaState

__all__ = ["BarProgress"]


class BarProgress(Progress):
    """Shows a bar with the rate, the quota left, and the finishing time.

    Args:
        plan: What the run was expected to cost.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]}"),
            console=Console(stderr=True),
            expand=True,
        )
        self._task = self._bar.add_task(plan.name, total=plan.rows or None, facts="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def quota(self, state: QuotaState) -> None:
        """Take in how the quota stands, and show it."""
        super().quota(state)
        self._update()

    def show(self, event: Event) -> None:
        """Move the bar."""
        told = remark(event)
        if told is not None:
            self._bar.console.print(told, highlight=False, markup=False)
        self._update()

    def _update(self) -> None:
        track = self.tracker
        facts = f"{track.per_minute:,.0f}/min  {track.quota_left}  done {track.finishes_at:%H:%M}"
        self._bar.update(
            self._task,
            description=track.what,
            completed=track.done,
            total=track.total or None,
            facts=facts,
        )
