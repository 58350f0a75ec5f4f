"""Two worker processes, on one machine or on two, that share one account through Redis.

The jobs are ids of issues, in a list in Redis; each worker takes one after the other. Both ask
Redis before they send a request, so together they use all of the account's quota and never more::

    python -m pip install 'metron-async[redis]'
    python examples/two_workers.py put 31660 31661 31662 --redis redis://cache.example:6379
    METRON_TOKEN=... python examples/two_workers.py work alice --redis redis://cache.example:6379
    METRON_TOKEN=... python examples/two_workers.py work bob --redis redis://cache.example:6379

The demonstration needs no account. It starts a Redis, a made-up server whose "minute" has a few
seconds, and two workers. With ``--alone`` they do not share the quota, and get 429s::

    python examples/two_workers.py demo
    python examples/two_workers.py demo --alone
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import redis.asyncio as redis
from metron_async.quota import DEFAULT_RULES, MemoryStore, RedisStore
from redis.exceptions import RedisError

from metron_async import AsyncMetron, MetronError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Iterable

    from metron_async.quota import Rules

METRON = "https://metron.cloud"
LOCAL = "redis://localhost:6379"
JOBS = "comics:jobs"
DOING = "comics:doing:"
DONE = "comics:done"


@dataclasses.dataclass(frozen=True, slots=True)
class Worker:
    """Settings of a worker.

    Attributes:
        name: Its name; no two workers may have the same.
        redis_url: Where jobs, results and the quota are.
        base_url: The server.
        minute: Seconds of the server's short window: 60, except in the demonstration.
        alone: Whether it keeps its own count of the quota, which is wrong with two workers.
        at_once: Maximum concurrent jobs.
    """

    name: str
    redis_url: str = LOCAL
    base_url: str = METRON
    minute: float = 60.0
    alone: bool = False
    at_once: int = 4

    @property
    def rules(self) -> Rules:
        """Windows to assume before the first response."""
        burst = msgspec.structs.replace(DEFAULT_RULES.burst, period=self.minute)
        return msgspec.structs.replace(DEFAULT_RULES, burst=burst)

    async def run(self) -> dict[str, object]:
        """Do jobs until there are none, and return what that took."""
        store = (
            MemoryStore(rules=self.rules)
            if self.alone
            else RedisStore(self.redis_url, rules=self.rules)
        )
        async with (
            contextlib.aclosing(store),
            connect(self.redis_url) as queue,
            AsyncMetron(
                base_url=self.base_url,
                quota=store,
                cache=":memory:",  # each job is done once
                user_agent="metron_async-workers/1.0",
            ) as metron,
        ):
            jobs = Jobs(queue, self.name)
            await jobs.take_up()
            async with asyncio.TaskGroup() as group:
                for _ in range(self.at_once):
                    group.create_task(work(metron, jobs))
            stats = metron.stats
            return {
                "name": self.name,
                "requests": stats.requests,
                "throttled": stats.throttled,
                "waited": round(stats.waited, 1),
            }


class Jobs:
    """Jobs in Redis, which survive the death of a worker.

    Taking a job moves it to the worker's own list, atomically. Storing its result removes it from
    that list, atomically as well. A restarted worker first puts back the jobs on its own list.
    """

    def __init__(self, queue: redis.Redis, name: str) -> None:
        self._queue = queue
        self._own = DOING + name

    async def take_up(self) -> None:
        """Put back the jobs that this worker had taken when it died."""
        while await self._move(self._own, JOBS):
            pass

    async def next(self) -> str | None:
        """Take a job, or ``None`` if there is none."""
        return await self._move(JOBS, self._own)

    async def done(self, job: str, result: str) -> None:
        """Store the result of a job."""
        async with self._queue.pipeline(transaction=True) as steps:
            steps.hset(DONE, job, result)
            steps.lrem(self._own, 1, job)
            await steps.execute()

    async def _move(self, source: str, target: str) -> str | None:
        moving = cast("Awaitable[str | None]", self._queue.lmove(source, target))
        return await moving


async def work(metron: AsyncMetron, jobs: Jobs) -> None:
    """Do one job after the other.

    Raises:
        MetronError: If Metron fails; the job stays in the worker's list.
    """
    while (job := await jobs.next()) is not None:
        try:
            issue = await metron.issues.get(int(job))
        except NotFoundError:
            await jobs.done(job, "issue not found")
        else:
            await jobs.done(job, f"{issue.series.name} #{issue.number}")


def connect(url: str) -> redis.Redis:
    """Return a Redis client that returns strings."""
    return redis.Redis.from_url(url, decode_responses=True)  # pyright: ignore[reportUnknownMemberType]


async def put(redis_url: str, ids: Iterable[int]) -> None:
    """Add jobs."""
    async with connect(redis_url) as queue, queue.pipeline() as steps:
        for number in ids:
            steps.rpush(JOBS, str(number))
        await steps.execute()


# --- The demonstration ----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def own_redis(folder: Path) -> AsyncGenerator[str, None]:
    """Start a Redis server from PATH, and yield its URL."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        msg = "redis-server was not found on PATH. Install it"
        raise FileNotFoundError(msg)
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    server = await asyncio.create_subprocess_exec(
        program, *options, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        url = f"unix://{socket}"
        async with connect(url) as client, asyncio.timeout(10):
            while True:
                try:
                    await client.ping()  # pyright: ignore[reportUnknownMemberType]
                    break
                except RedisError:
                    await asyncio.sleep(0.02)
        yield url
    finally:
        server.terminate()
        await server.wait()


async def start(worker: Worker, token: str, folder: Path) -> asyncio.subprocess.Process:
    """Start a worker in a process of its own."""
    arguments = ["work", worker.name, "--redis", worker.redis_url, "--base-url", worker.base_url]
    arguments += ["--minute", str(worker.minute), *(["--alone"] if worker.alone else [])]
    environment = os.environ | {"METRON_TOKEN": token, "XDG_CACHE_HOME": str(folder)}
    return await asyncio.create_subprocess_exec(
        sys.executable, __file__, *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )


async def demo(jobs: int, minute: float, *, alone: bool) -> int:
    """Let two workers do *jobs* jobs, and print the number of 429s."""
    from metron_async.testing import FakeMetron

    fake = FakeMetron(burst_period=minute)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with own_redis(folder) as redis_url, fake.serve() as base_url:
            await put(redis_url, range(1, jobs + 1))
            began = asyncio.get_running_loop().time()
            workers = [
                Worker(name, redis_url, base_url, minute, alone) for name in ("alice", "bob")
            ]
            processes = [await start(worker, fake.token, folder) for worker in workers]
            for process in processes:
                output, _ = await process.communicate()
                print(output.decode().strip())
            took = asyncio.get_running_loop().time() - began
            async with connect(redis_url) as queue:
                done = await queue.hlen(DONE)
    print(f"{done} of {jobs} jobs in {took:.1f} s; the server said no {fake.throttled} times")
    return 0 if done == jobs and not fake.throttled else 1


def main() -> int:
    """Read the arguments, and report errors in one line."""
    parser = argparse.ArgumentParser(description="Two workers share one account.")
    commands = parser.add_subparsers(dest="command", required=True)
    working = commands.add_parser("work", help="do jobs until there are none")
    working.add_argument("name")
    working.add_argument("--base-url", default=METRON)
    putting = commands.add_parser("put", help="add jobs")
    putting.add_argument("ids", type=int, nargs="+")
    showing = commands.add_parser("demo", help="show it, without an account")
    showing.add_argument("--jobs", type=int, default=60)
    for command in (working, putting):
        command.add_argument("--redis", default=LOCAL)
    for command, minute in ((working, 60.0), (showing, 3.0)):
        command.add_argument("--minute", type=float, default=minute, help=argparse.SUPPRESS)
        command.add_argument("--alone", action="store_true", help="do not share the quota")
    arguments = parser.parse_args()
    try:
        return asyncio.run(_run(arguments))
    except* (MetronError, RedisError, OSError) as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = cast("BaseException", first.exceptions[0])
        print(f"error: {first}", file=sys.stderr)
    return 1


async def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "demo":
        return await demo(arguments.jobs, arguments.minute, alone=arguments.alone)
    if arguments.command == "put":
        await put(arguments.redis, arguments.ids)
        return 0
    worker = Worker(
        arguments.name, arguments.redis, arguments.base_url, arguments.minute, arguments.alone
    )
    print(json.dumps(await worker.run()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
