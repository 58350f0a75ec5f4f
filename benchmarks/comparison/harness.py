"""One server and one program at a time: FakeMetron in a process, the measured client in another.

Everything that is counted is counted by the server: what a client says of itself proves nothing.
Commands (to change issues, to lift the quota) reach the server through a pipe.

Where time matters, the server's minute is shorter, and so is everything else: round trips, the
speed of typing. ``SCALE`` says by how much; seconds that are reported are those of a real minute.
"""

import asyncio
import contextlib
import dataclasses
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from multiprocessing.connection import Connection
from typing import Any

from metron_async.testing import FakeMetron
from metron_async.testing.bans import Firewall

SCALE = 10.0
MINUTE = 60.0 / SCALE
ROUND_TRIP = (0.1 / SCALE, 0.5 / SCALE)
UNCOUNTED = (0, 401, 403)
"""Statuses of requests that cost no quota; 0 is a connection that was lost."""

_spawn = multiprocessing.get_context("spawn")


@dataclasses.dataclass(frozen=True)
class Counts:
    """What the server saw.

    Attributes:
        requests: All requests, which is also what they cost of the day's quota.
        throttled: 429s.
        not_modified: 304s.
        left: Requests whose client closed the connection before the answer (499).
        bans: Events for which the real firewall would have shut the address out.
        seconds: From the first request to the last, in the server's (unscaled) seconds.
    """

    requests: int
    throttled: int
    not_modified: int
    left: int
    bans: tuple[str, ...]
    seconds: float


# -- commands of the server ------------------------------------------------------------------------


def counts(fake: FakeMetron, scale: float) -> Counts:
    """Count what came since the last reset."""
    asked = fake.requests
    firewall = Firewall()
    for request in asked:
        firewall.count(request.client, str(request.status), request.time * scale)
    statuses = Counter(request.status for request in asked)
    return Counts(
        requests=sum(n for status, n in statuses.items() if status not in UNCOUNTED),
        throttled=fake.throttled,
        not_modified=statuses[304],
        left=statuses[499],
        bans=tuple(sorted({ban.event for ban in firewall.bans})),
        seconds=(asked[-1].time - asked[0].time) * scale if asked else 0.0,
    )


def reset(fake: FakeMetron, _scale: float) -> None:
    """Forget what was asked, and whose quota is spent."""
    fake.reset_log()
    fake.forgive()


def throttle(fake: FakeMetron, _scale: float, on: bool) -> None:
    """Put the quota in force, or lift it."""
    fake.settings.throttle = on


def one_series(fake: FakeMetron, _scale: float, length: int) -> None:
    """Give the first issues to one series."""
    table = fake.catalogue.table("issue")
    for number in range(1, length + 1):
        table[number].series = 1
        table[number].number = str(number)
    for number in range(length + 1, len(table) + 1):
        if table[number].series == 1:
            table[number].series = 2
    fake.catalogue.edited()


def change(fake: FakeMetron, _scale: float, ids: list[int]) -> None:
    """Change the description of issues, which moves their ``modified``."""
    for number in ids:
        fake.touch("issue", number, desc="changed")


def add(fake: FakeMetron, _scale: float, many: int) -> None:
    """Add issues to the catalogue."""
    for number in range(many):
        fake.add_issue(3, f"{9000 + number}", desc="changed")


def files(fake: FakeMetron, _scale: float, many: int) -> list[tuple[str, int, str]]:
    """Return name and first year of a series, and a number, of some issues: 10 of each series."""
    rng = random.Random(4)
    found: list[tuple[str, int, str]] = []
    tables = fake.catalogue.tables
    for series in tables.series.values():
        issues = list(fake.catalogue.issues_of_series(series.id))
        if len(issues) >= 10 and len(found) < many:
            rng.shuffle(issues)
            found += [(series.name, series.year_began, issue.number) for issue in issues[:10]]
    return found[:many]


def week(fake: FakeMetron, _scale: float) -> date:
    """Return the day of this week's comics."""
    return max(
        issue.store_date
        for issue in fake.catalogue.tables.issue.values()
        if issue.store_date is not None and issue.store_date <= fake.catalogue.today
    )


def names(fake: FakeMetron, _scale: float, many: int) -> list[str]:
    """Return words that people might look for: first words of series."""
    words = sorted({s.name.split()[0] for s in fake.catalogue.tables.series.values()})
    return [word for word in words if len(word) >= 5][:many]


# -- the processes ---------------------------------------------------------------------------------


async def _serve(pipe: Connection, options: dict[str, Any], latency: Any, scale: float) -> None:
    fake = FakeMetron(**options)
    fake.latency = latency
    loop = asyncio.get_running_loop()
    async with fake.serve() as url:
        pipe.send(url)
        while True:
            order = await loop.run_in_executor(None, pipe.recv)
            if order is None:
                return
            function, arguments = order
            pipe.send(function(fake, scale, *arguments))


def _server(pipe: Connection, options: dict[str, Any], latency: Any, scale: float) -> None:
    asyncio.run(_serve(pipe, options, latency, scale))


class Server:
    """A running FakeMetron, as seen from the process that started it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.url: str = pipe.recv()

    def tell(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Have the server's process run one of the functions above, and return what it returns."""
        self._pipe.send((function, arguments))
        return self._pipe.recv()


@contextlib.contextmanager
def server(*, timed: bool = False, **options: Any) -> Iterator[Server]:
    """Run FakeMetron; with *timed*, with its quota, a short minute and round trips.

    It behaves like servers after August 2026, which mokkari 5 needs for series.
    """
    here, there = _spawn.Pipe()
    scale = SCALE if timed else 1.0
    given = {"throttle": timed, "burst_period": MINUTE, "bans": False, "newer": True, **options}
    latency = ROUND_TRIP if timed else 0.0
    process = _spawn.Process(target=_server, args=(there, given, latency, scale), daemon=True)
    process.start()
    try:
        yield Server(here)
    finally:
        here.send(None)
        process.join(10)
        if process.is_alive():
            process.kill()


def _run(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        pipe.send((asyncio.run(work(*arguments)), None))
    except BaseException as error:
        pipe.send((None, f"{type(error).__name__}: {error}"))
        raise


def alone(work: Callable[..., Any], *arguments: Any, timeout: float = 240.0) -> Any:
    """Run the coroutine function *work* in a process of its own, and return its result."""
    here, there = _spawn.Pipe()
    process = _spawn.Process(target=_run, args=(there, work, arguments), daemon=True)
    process.start()
    end = time.monotonic() + timeout
    try:
        while not here.poll(0.5):
            if time.monotonic() > end or not process.is_alive():
                msg = f"{work.__name__}{arguments[:1]} did not come to its end"
                raise RuntimeError(msg)
        result, problem = here.recv()
    finally:
        # Threads of a synchronous client may still be waiting: they are of no interest.
        process.kill()
        process.join()
    if problem is not None:
        raise RuntimeError(problem)
    return result


@contextlib.contextmanager
def spawn(work: Callable[..., Any], *arguments: Any) -> Iterator[Connection]:
    """Run *work* in a process beside others, with a pipe as its first argument."""
    here, there = _spawn.Pipe()
    process = _spawn.Process(target=_serve_pipe, args=(work, there, arguments), daemon=True)
    process.start()
    try:
        yield here
    finally:
        process.join(5)  # told through the pipe to end
        process.kill()
        process.join()


def _serve_pipe(work: Callable[..., Any], pipe: Connection, arguments: tuple[Any, ...]) -> None:
    asyncio.run(work(pipe, *arguments))


@contextlib.contextmanager
def home() -> Iterator[str]:
    """Give a client an empty directory for its files."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        yield directory
