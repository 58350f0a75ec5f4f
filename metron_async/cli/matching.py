"""The command ``match``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import msgspec

from metron_async.cli.matching_progress import Lines, Silent
from metron_async.cli.output import counted
from metron_async.errors import UsageError
from metron_async.matching.files import (
    ComicFile,
    find_comics,
    match_summary,
    read_comic,
    write_match,
)
from metron_async.matching.query import IssueQuery
from metron_async.mirror.forecast import Allowance, forecast
from metron_async.types import Priority

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from metron_async.client import AsyncMetron
    from metron_async.matching.decide import Match
    from metron_async.matching.planning import MatchPlan
    from metron_async.matching.run import MatchRun

__all__ = ["describe_plan", "match", "undecided_lines"]

_SHOWN = 3


async def match(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Find the issues that files are, and show what could not be decided and why."""
    comics = await asyncio.to_thread(_read, options.paths)
    if not comics:
        msg = f"No comics in {', '.join(options.paths)}"
        raise UsageError(msg)
    left = [comic for comic in comics if _is_open(comic, options)]
    known = [comic for comic in left if comic.query is not None]
    queries = [_query(comic, details=options.details) for comic in known]
    bulk = metron.with_options(priority=Priority.BULK)
    run = bulk.issues.match_many(queries, details=options.details)
    text = describe_plan(run.plan(), done=len(comics) - len(left))
    allowance = Allowance.of(await metron.quota())
    minutes = forecast(run.plan().requests, allowance)[0] / 60
    text += f", {'less than a minute' if minutes < 1 else f'about {minutes:,.0f} min'}"
    if options.plan:
        sys.stdout.write(f"{text}\n")
        return 0
    if not options.quiet:
        sys.stderr.write(f"{text}\n")
    found: list[tuple[ComicFile, Match]] = []
    try:
        await _examine(run, known, found, options)
    finally:
        _report(found, left, run, options)
    return int(run.state.failed > 0)


def _read(paths: Sequence[str]) -> list[ComicFile]:
    return [read_comic(path) for path in find_comics(paths)]


def _is_open(comic: ComicFile, options: argparse.Namespace) -> bool:
    """Return whether a comic is to be searched for in this run."""
    if comic.issue_id is not None:
        return options.details and not comic.has_detail
    return options.retry or not comic.tried


def _query(comic: ComicFile, *, details: bool) -> IssueQuery:
    """Return the query of a comic; one that was found before lacks nothing but its details."""
    if details and comic.issue_id is not None:
        return IssueQuery(metron_id=comic.issue_id)
    assert comic.query is not None  # noqa: S101 - the caller looked
    return comic.query


async def _examine(
    run: MatchRun,
    comics: Sequence[ComicFile],
    found: list[tuple[ComicFile, Match]],
    options: argparse.Namespace,
) -> None:
    with _make_progress(len(comics), quiet=options.quiet) as progress:
        async with contextlib.aclosing(aiter(run)) as matches:
            async for one in matches:
                comic = comics[one.index]
                found.append((comic, one))
                if options.write == "json" and one.error is None:
                    await asyncio.to_thread(write_match, comic, one)
                if options.json:
                    _print_json(comic, one)
                progress.show(run.state)


def _print_json(comic: ComicFile, one: Match) -> None:
    line = {"file": str(comic.path), **match_summary(one), "requests": one.requests}
    if one.detail is not None:
        line["detail"] = one.detail
    sys.stdout.write(f"{msgspec.json.encode(line).decode()}\n")
    sys.stdout.flush()


def _report(
    found: Sequence[tuple[ComicFile, Match]],
    left: Sequence[ComicFile],
    run: MatchRun,
    options: argparse.Namespace,
) -> None:
    """Print what was decided, then what was not, and why."""
    out = sys.stderr if options.json else sys.stdout
    ordered = sorted(found, key=lambda pair: pair[0].path)
    if not options.json:
        for comic, one in ordered:
            if one.issue is not None:
                out.write(f"{comic.path}: {one.issue.issue_name} [{one.issue.id}]\n")
    lines = [line for comic, one in ordered if not one for line in undecided_lines(comic, one)]
    lines += [f"  {comic.path}: {comic.problem}" for comic in left if comic.query is None]
    if lines:
        out.write("\n".join(["Not decided:", *lines]) + "\n")
    state = run.state
    unreadable = sum(1 for comic in left if comic.query is None)
    unknown = state.done - state.decided - state.ambiguous - state.failed + unreadable
    out.write(
        f"{state.decided:,} found, {state.ambiguous:,} ambiguous, {unknown:,} unknown,"
        f" {state.failed:,} failed; {counted(state.requests, 'requests')}\n"
    )


def undecided_lines(comic: ComicFile, one: Match) -> list[str]:
    """Return lines about a comic that was not decided: why, and the best candidates."""
    lines = [f"  {comic.path}: {one.why}"]
    for candidate in one.candidates[:_SHOWN]:
        reasons = ", ".join(reason.text for reason in candidate.score.reasons)
        issue = candidate.issue
        lines.append(f"    {candidate.score.value:6g}  {issue.issue_name} [{issue.id}]: {reasons}")
    return lines


def describe_plan(plan: MatchPlan, *, done: int) -> str:
    """Return in one line what matching files will cost."""
    before = f", {done:,} done before" if done else ""
    series = sum(1 for group in plan.groups if group.way != "id")
    of = f" of {series:,} series" if series else ""
    return (
        f"{counted(plan.queries, 'files')}{of}{before}: about {counted(plan.requests, 'requests')}"
    )


def _make_progress(total: int, *, quiet: bool) -> Silent:
    """Return what shows the progress of *total* files best: a bar if that is possible."""
    if quiet:
        return Silent()
    if not sys.stderr.isatty():
        return Lines()
    try:
        from metron_async.cli.matching_bar import MatchBar  # noqa: PLC0415 - rich is an extra
    except ImportError:
        return Lines()
    return MatchBar(total)
