"""The command ``mirror``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from metron_async.cli.exits import INCOMPLETE
from metron_async.cli.filters import filters_in
from metron_async.cli.output import clock, counted, duration, print_json, print_line
from metron_async.cli.progress import PlainProgress, Progress
from metron_async.mirror import Mirror
from metron_async.types import Priority

if TYPE_CHECKING:
    import argparse

    from metron_async.client import AsyncMetron
    from metron_async.mirror import Plan, Report

__all__ = ["describe", "make_progress", "mirror", "summarize"]

_LOOK_EVERY = 1.0  # seconds between two looks at the quota


async def mirror(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Bring a list in a file up to date, and show the progress."""
    filters: dict[str, Any] = filters_in(options)
    async with Mirror(metron.with_options(priority=Priority.BULK), options.file) as mirrored:
        # A value that was not given keeps the choice that is stored in the file.
        details = True if options.details else None
        full = options.full or options.deletions
        plan = await mirrored.plan(options.source, details=bool(details), full=full, **filters)
        if options.plan:
            _print_plan(plan, as_json=options.json)
            return 0
        if not options.quiet:
            sys.stderr.write(f"{describe(plan)}\n")
        with make_progress(plan, quiet=options.quiet) as progress:
            watcher = asyncio.create_task(_watch(metron, progress))
            try:
                report = await mirrored.run(
                    options.source,
                    details=details,
                    raw=True if options.raw else None,
                    full=options.full,
                    deletions=options.deletions,
                    on_bad_row="skip" if options.skip_bad_rows else "raise",
                    on_event=progress.event,
                    **filters,
                )
            finally:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher
    if options.json:
        print_json(report.to_dict())
    else:
        print_line(summarize(report, options.file))
    return 0 if report.complete else INCOMPLETE


async def _watch(metron: AsyncMetron, progress: Progress) -> None:
    """Show the quota, which changes also while nothing is fetched."""
    while True:
        progress.quota(await metron.quota())
        await asyncio.sleep(_LOOK_EVERY)


def make_progress(plan: Plan, *, quiet: bool) -> Progress:
    """Return what shows the progress: a bar on a terminal, lines elsewhere, or nothing."""
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


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        names = ("name", "kind", "rows", "requests", "minutes", "finishes_at", "days", "spent")
        values = {name: getattr(plan, name) for name in names}
        print_json({**values, "filters": dict(plan.filters)})
    else:
        print_line(describe(plan))


def describe(plan: Plan) -> str:
    """Return in one line what a run will cost."""
    minutes = round(plan.minutes)
    time = "less than a minute" if plan.minutes < 1 else f"about {duration(minutes * 60)}"
    days = f", over {plan.days} days of quota" if plan.days > 1 else ""
    again = "more " if plan.kind == "resume" else ""
    return (
        f"{plan.name}: {counted(plan.rows, f'{again}rows')}, {counted(plan.requests, 'requests')},"
        f" {time}{days};"
        f" done at {clock(plan.finishes_at)}"
    )


def summarize(report: Report, file: str) -> str:
    """Return in one line what a run has done."""
    parts = [f"{report.added:,} new", f"{report.updated:,} changed"]
    named = {
        "deleted": report.deleted,
        "complete objects": report.details,
        "failed": report.failed,
        "skipped": report.skipped,
        "missing": report.missing,
        "no longer on the server (--deletions removes them)": report.surplus,
    }
    parts += [f"{number:,} {what}" for what, number in named.items() if number]
    if not report.proven:
        parts.append("the list was edited meanwhile, so rows may be missing until the next run")
    return f"{report.name}: {', '.join(parts)}; {counted(report.requests, 'requests')}; {file}"
