"""The command ``mirror``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from metron_async.cli.exits import INCOMPLETE
from metron_async.cli.filters import filters_in
from metron_async.cli.progress import make_progress
from metron_async.mirror import Mirror

if TYPE_CHECKING:
    import argparse

    from metron_async.cli.progress import Progress
    from metron_async.client import AsyncMetron
    from metron_async.mirror import Plan, Report

__all__ = ["describe", "mirror"]

_LOOK_EVERY = 1.0  # seconds between two looks at the quota


async def mirror(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Bring a list in a file up to date, and show how it goes."""
    filters: dict[str, Any] = filters_in(options)
    async with Mirror(metron, options.file) as mirrored:
        # A value that was not given keeps what was chosen for the file before.
        details = True if options.details else None
        full = options.full or options.deletions
        plan = await mirrored.plan(options.source, details=bool(details), full=full, **filters)
        if options.plan:
            sys.stdout.write(f"{describe(plan)}\n")
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
                    on_event=progress.event,
                    **filters,
                )
            finally:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher
    sys.stdout.write(f"{summarise(report, options.file)}\n")
    return 0 if report.complete else INCOMPLETE


async def _watch(metron: AsyncMetron, progress: Progress) -> None:
    """Show the quota, which moves also while nothing else does."""
    while True:
        progress.quota(await metron.quota())
        await asyncio.sleep(_LOOK_EVERY)


def describe(plan: Plan) -> str:
    """Return in one line what a run will cost."""
    finish = plan.finishes_at.astimezone()
    when = f"{finish:%H:%M}" if plan.minutes < 12 * 60 else f"{finish:%d %b %H:%M}"
    minutes = "less than a minute" if plan.minutes < 1 else f"about {plan.minutes:,.0f} min"
    days = f", over {plan.days} days of quota" if plan.days > 1 else ""
    again = " more" if plan.kind == "resume" else ""
    return (
        f"{plan.name}: {plan.rows:,}{again} rows, {plan.requests:,} requests, {minutes}{days};"
        f" done at {when}"
    )


def summarise(report: Report, file: str) -> str:
    """Return in one line what a run has done."""
    parts = [f"{report.added:,} new", f"{report.updated:,} changed"]
    named = {
        "deleted": report.deleted,
        "in full": report.details,
        "failed": report.failed,
        "missing": report.missing,
        "no longer on the server (--deletions removes them)": report.surplus,
    }
    parts += [f"{number:,} {what}" for what, number in named.items() if number]
    return f"{report.name}: {', '.join(parts)}; {report.requests:,} requests; {file}"
