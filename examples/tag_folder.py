"""Tag a folder of comics: write a JSON file beside each that says which issue it is.

It takes one request for a series rather than one for a file, waits for the quota where it must, and
goes on where it stopped when it is run again::

    METRON_TOKEN=... python examples/tag_folder.py ~/comics
    METRON_TOKEN=... python examples/tag_folder.py ~/comics --details
    python examples/tag_folder.py --demo

How files are found is told in tag_search.py, and what their names may look like in tag_names.py.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tag_names import Comic, Sidecar, Tag, read_name
from tag_search import Search

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    ConfigurationError,
    MetronError,
    Priority,
    RateLimitError,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES = {".cb7", ".cbr", ".cbt", ".cbz", ".pdf"}
ENDING = ".metron.json"
COME_BACK = 75  # the exit code of programs that want to be run again
FATAL = (RateLimitError, BlockedError, AuthenticationError)


class Progress:
    """A bar on a terminal, and nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._shown = sys.stderr.isatty()

    def step(self, note: str = "") -> None:
        """Count one file."""
        self.done += 1
        self.show(note)

    def waiting(self, wait: Wait) -> None:
        """Tell about a wait that begins: what ``on_wait`` of the client calls."""
        self.show(f"waiting {wait.seconds:.0f} s for the {wait.reason}")

    def show(self, note: str = "") -> None:
        """Draw the bar."""
        if self._shown:
            filled = 30 * self.done // max(1, self.total)
            bar = "█" * filled + "░" * (30 - filled)
            print(f"\r{bar} {self.done}/{self.total} {note:<45.45}", end="", file=sys.stderr)

    def close(self) -> None:
        """Leave the bar's line."""
        if self._shown:
            print(file=sys.stderr)


# --- Files ----------------------------------------------------------------------------------------


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a comic lies."""
    return path.with_name(path.name + ENDING)


def read_sidecar(path: Path) -> Sidecar:
    """Read the sidecar of a comic; one that is missing or damaged says nothing."""
    try:
        return msgspec.json.decode(sidecar_path(path).read_bytes(), type=Sidecar)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Sidecar()


def write_sidecar(path: Path, sidecar: Sidecar) -> None:
    """Write the sidecar of a comic in one step, so that no half of one is ever found."""
    target = sidecar_path(path)
    draft = target.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(sidecar), indent=2))
    draft.replace(target)


def comics_in(folder: Path) -> list[Comic]:
    """Return the comics in *folder* and below it, in the order of their names."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [read_name(path, read_sidecar(path)) for path in paths]


# --- The work -------------------------------------------------------------------------------------


class Tagger:
    """Tags comics, group by group, and counts what came of it.

    Args:
        metron: The client.
        progress: Where progress is shown.
        details: Whether to write all that Metron knows; a request for each file.
        retry: Whether to look again for files that were not found before.
        exact: Whether to look up each file that has an id by that id.
    """

    def __init__(
        self,
        metron: AsyncMetron,
        progress: Progress,
        *,
        details: bool = False,
        retry: bool = False,
        exact: bool = False,
    ) -> None:
        self._metron = metron.with_options(priority=Priority.BULK, on_wait=progress.waiting)
        self._search = Search(self._metron, exact=exact)
        self._progress = progress
        self._details = details
        self._retry = retry
        self.tagged = self.before = self.unknown = self.failed = 0

    async def run(self, comics: Sequence[Comic]) -> None:
        """Tag *comics*; what is tagged already costs nothing.

        Raises:
            RateLimitError: If the day's quota is spent. What was found is written.
            MetronError: If it makes no sense to go on.
        """
        for group, series_id in self._groups(comics):
            try:
                async with contextlib.aclosing(self._search.group(group, series_id)) as found:
                    async for comic, tag in found:
                        self._note(comic, tag)
            except FATAL:
                raise
            except MetronError as error:
                # One series that cannot be had does not end the run; it is asked for again in
                # the next one, as nothing is written.
                self.failed += 1
                self._progress.show(str(error))
        if self._details:
            await self._add_details(comics)

    def _groups(self, comics: Sequence[Comic]) -> Iterator[tuple[list[Comic], int | None]]:
        """Yield the files that belong together, and the id of their series if it is known."""
        groups: defaultdict[str, list[Comic]] = defaultdict(list)
        known: dict[str, set[int]] = defaultdict(set)
        for comic in comics:
            if comic.sidecar.tag is not None:
                known[comic.key].add(comic.sidecar.tag.series_id)
                self.before += 1
                self._progress.step()
            elif comic.sidecar.problem and not self._retry:
                self.unknown += 1
                self._progress.step()
            else:
                groups[comic.key].append(comic)
        for key, group in groups.items():
            # Two series of one name: it is not known which of them a file belongs to.
            yield group, known[key].pop() if len(known[key]) == 1 else None

    def _note(self, comic: Comic, tag: Tag | None) -> None:
        comic.sidecar.tag = tag
        comic.sidecar.problem = None if tag else "not found, or more than one fits"
        self.tagged += tag is not None
        self.unknown += tag is None
        write_sidecar(comic.path, comic.sidecar)
        self._progress.step(f"{self._metron.stats.requests} requests  {comic.path.name}")

    async def _add_details(self, comics: Sequence[Comic]) -> None:
        wanted: defaultdict[int, list[Comic]] = defaultdict(list)  # there may be two copies
        for comic in comics:
            if comic.sidecar.tag is not None and comic.sidecar.details is None:
                wanted[comic.sidecar.tag.issue_id].append(comic)
        self._progress.total += len(wanted)
        async with contextlib.aclosing(aiter(self._metron.issues.fetch_many(wanted))) as results:
            async for got in results:
                if isinstance(got.error, FATAL):
                    raise got.error
                self._progress.step(f"{self._metron.stats.requests} requests  details")
                self.failed += got.error is not None
                for comic in wanted[got.id] if got.value is not None else []:
                    comic.sidecar.details = msgspec.to_builtins(got.value)
                    write_sidecar(comic.path, comic.sidecar)


async def tag(metron: AsyncMetron, folder: Path, arguments: argparse.Namespace) -> int:
    """Tag the comics in *folder*, tell what came of it, and return the exit code."""
    comics = comics_in(folder)
    progress = Progress(len(comics))
    tagger = Tagger(
        metron,
        progress,
        details=arguments.details,
        retry=arguments.retry,
        exact=arguments.exact,
    )
    code = 0
    try:
        await tagger.run(comics)
    except (RateLimitError, BlockedError) as error:
        code = COME_BACK
        print(f"stopped: {error}. Run it again then; it goes on from here.", file=sys.stderr)
    finally:
        progress.close()
    print(
        f"{len(comics)} files: {tagger.tagged} tagged, {tagger.before} tagged before,"
        f" {tagger.unknown} not found, {tagger.failed} failed\n"
        f"{metron.stats.requests} requests"
    )
    return code or int(tagger.failed > 0)


async def demo(arguments: argparse.Namespace) -> int:
    """Tag a made-up folder against a made-up server."""
    from metron_async.testing import FakeMetron

    fake = FakeMetron()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for series, numbers in (("Amazing Phantom", range(1, 12)), ("Mighty Wolf", (1, 2))):
            for number in numbers:
                (folder / f"{series} {number:03}.cbz").touch()
        (folder / "A strange name [cv-400001].cbz").touch()
        async with AsyncMetron(token=fake.token, transport=fake.transport()) as metron:
            code = await tag(metron, folder, arguments)
        print("\nThe sidecar of the last one:")
        print(msgspec.json.format(msgspec.json.encode(comics_in(folder)[-1].sidecar)).decode())
    return code


async def real(arguments: argparse.Namespace) -> int:
    """Tag the user's folder."""
    async with AsyncMetron(user_agent="metron_async-tagger/1.0") as metron:
        return await tag(metron, arguments.folder, arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, and report errors in one line."""
    parser = argparse.ArgumentParser(description="Tag a folder of comics.")
    parser.add_argument("folder", type=Path, nargs="?", help="where the comics are")
    parser.add_argument("--details", action="store_true", help="all that is known; more requests")
    parser.add_argument("--retry", action="store_true", help="look again for what was not found")
    parser.add_argument("--exact", action="store_true", help="use every id; more requests")
    parser.add_argument("--demo", action="store_true", help="a made-up folder, without an account")
    arguments = parser.parse_args(argv)
    if not arguments.demo and (arguments.folder is None or not arguments.folder.is_dir()):
        parser.error("name a folder, or --demo")
    try:
        return asyncio.run(demo(arguments) if arguments.demo else real(arguments))
    except KeyboardInterrupt:
        print("\nstopped. Run it again; it goes on from here.", file=sys.stderr)
        return 130
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except MetronError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
