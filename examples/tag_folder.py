"""Tag a folder of comics: write a JSON file beside each that says which issue it is.

It takes a few requests for a series rather than one for each file, waits for the quota where it
must, and continues where it stopped when it is run again::

    METRON_TOKEN=... python examples/tag_folder.py ~/comics
    METRON_TOKEN=... python examples/tag_folder.py ~/comics --details
    python examples/tag_folder.py --demo

The command ``metron-async match`` does the same and more. This program shows how it is made.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from metron_async import (
    AsyncMetron,
    BlockedError,
    ConfigurationError,
    MetronError,
    Priority,
    RateLimitError,
    Wait,
)
from metron_async.matching import ComicFile, find_comics, read_comic, write_match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async import MetronView
    from metron_async.matching import MatchProgress

COME_BACK = 75  # the exit code of programs that want to be run again


def show_wait(wait: Wait) -> None:
    """Report a wait that begins."""
    if wait.seconds > 1:
        print(f"waiting {wait.seconds:.0f} s for the {wait.reason}", file=sys.stderr)


def show_progress(state: MatchProgress) -> None:
    """Draw one line on a terminal."""
    if sys.stderr.isatty():
        line = f"{state.done}/{state.total} files, {state.requests} requests"
        print(f"\r{line:<60}", end="\n" if state.done == state.total else "", file=sys.stderr)


def open_files(folder: Path, *, details: bool, retry: bool) -> list[ComicFile]:
    """Return the comics in *folder* that an earlier run has not finished."""
    comics = [read_comic(path) for path in find_comics([folder])]
    for comic in comics:
        if comic.query is None:
            print(f"{comic.path.name}: {comic.problem}")
    found = [comic for comic in comics if comic.query is not None]
    if details:
        return [c for c in found if not c.has_detail and (c.issue_id or retry or not c.tried)]
    return [c for c in found if not c.issue_id and (retry or not c.tried)]


async def tag(metron: MetronView, folder: Path, *, details: bool, retry: bool) -> int:
    """Tag the comics in *folder*, and return the exit code."""
    comics = await asyncio.to_thread(open_files, folder, details=details, retry=retry)
    run = metron.with_options(priority=Priority.BULK, on_wait=show_wait).issues.match_many(
        [comic.query for comic in comics if comic.query is not None],
        details=details,
        progress=show_progress,
    )
    print(run.plan())
    try:
        async with aclosing(aiter(run)) as matches:
            async for match in matches:
                comic = comics[match.index]
                if match.error is None:  # what failed is asked for again by the next run
                    await asyncio.to_thread(write_match, comic, match)
                if not match:
                    print(f"{comic.path.name}: {match.why}")
                    for candidate in match.candidates[:3]:
                        print(f"    {candidate.issue.issue_name}: {candidate.score}")
    except (RateLimitError, BlockedError) as error:
        print(f"stopped: {error}. Run it again then; it continues from here.", file=sys.stderr)
        return COME_BACK
    finally:
        state = run.state
        print(f"{state.decided} of {state.total} files tagged, {state.requests} requests")
    return int(run.state.failed > 0)


async def demo(arguments: argparse.Namespace) -> int:
    """Tag a made-up folder against a fake server."""
    from metron_async.testing import FakeMetron

    fake = FakeMetron()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for series, numbers in (("Amazing Phantom", range(1, 12)), ("Mighty Wolf", (2, 3))):
            for number in numbers:
                (folder / f"{series} {number:03}.cbz").touch()
        (folder / "A strange name [cv-400001].cbz").touch()
        async with AsyncMetron(token=fake.token, transport=fake.transport()) as metron:
            return await tag(metron, folder, details=arguments.details, retry=arguments.retry)


async def real(arguments: argparse.Namespace) -> int:
    """Tag the user's folder."""
    async with AsyncMetron(user_agent="metron_async-tagger/1.0") as metron:
        return await tag(metron, arguments.folder, details=arguments.details, retry=arguments.retry)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, and report errors in one line."""
    parser = argparse.ArgumentParser(description="Tag a folder of comics.")
    parser.add_argument("folder", type=Path, nargs="?", help="where the comics are")
    parser.add_argument("--details", action="store_true", help="full issues; more requests")
    parser.add_argument("--retry", action="store_true", help="search again for what is undecided")
    parser.add_argument("--demo", action="store_true", help="a made-up folder, without an account")
    arguments = parser.parse_args(argv)
    if not arguments.demo and (arguments.folder is None or not arguments.folder.is_dir()):
        parser.error("name a folder, or --demo")
    try:
        return asyncio.run(demo(arguments) if arguments.demo else real(arguments))
    except KeyboardInterrupt:
        print("\nstopped. Run it again; it continues from here.", file=sys.stderr)
        return 130
    except MetronError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigurationError) else 1


if __name__ == "__main__":
    sys.exit(main())
