"""The progress bar of matching, by rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from metron_async.cli.matching_progress import Silent, facts_of_run

if TYPE_CHECKING:
    from typing import Self

    from metron_async.matching.run import MatchProgress

__all__ = ["MatchBar"]


class MatchBar(Silent):
    """Shows a bar with the files found, the requests, and the time left.

    Args:
        total: Files of the run.
    """

    def __init__(self, total: int) -> None:
        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("files", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, state: MatchProgress) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=state.done, description=facts_of_run(state))
