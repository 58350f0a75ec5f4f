"""A fleet: web workers and a nightly job, on any number of hosts, that are one client to Metron.

They share one Redis. What one process has fetched, all find; what several ask for at the same time
is one request; and the visitors of the web workers go before the nightly job, wherever it runs::

    python -m pip install 'metron-async[redis]'
    export METRON_ASYNC_STORAGE=redis://cache.example:6379 METRON_TOKEN=...
    python examples/fleet/fleet.py web         # on each web host, as often as you like
    python examples/fleet/fleet.py nightly     # somewhere

The demonstration needs no account. It starts a Redis, a made-up server, three web workers and the
nightly job. ``docker compose up`` in this folder starts the same with a real account::

    python examples/fleet/fleet.py demo
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import sys
import tempfile
from typing import TYPE_CHECKING

from metron_async import AsyncMetron, MetronError, Priority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

POPULAR = range(1, 6)
"""Issues that everybody wants to see today."""


async def visit(metron: AsyncMetron, visitors: int) -> list[float]:
    """Show popular issues to visitors, all at once, and return how long each waited."""
    quick = metron.with_options(priority=Priority.INTERACTIVE, max_wait=5)
    clock = asyncio.get_running_loop().time

    async def one() -> float:
        began = clock()
        await quick.issues.get(random.choice(POPULAR))  # noqa: S311
        return clock() - began

    return await asyncio.gather(*(one() for _ in range(visitors)))


async def update(metron: AsyncMetron, ids: Iterable[int]) -> int:
    """Fetch many issues, and leave room for the visitors."""
    bulk = metron.with_options(priority=Priority.BULK)
    return len([found async for found in bulk.issues.fetch_many(ids) if found.error is None])


async def work(role: str, visitors: int, ids: Iterable[int]) -> None:
    """Do the work of one process, and print what it took as JSON."""
    async with AsyncMetron(user_agent="metron_async-fleet/1.0") as metron:
        if role == "web":
            waits = await visit(metron, visitors)
            done = {"visitors": visitors, "longest": round(max(waits), 2)}
        else:
            done = {"issues": await update(metron, ids)}
        stats = metron.stats
        done |= {"requests": stats.requests, "cached": stats.hits, "shared": stats.coalesced}
        print(json.dumps({"role": role, **done, "429s": stats.throttled}))


# --- The demonstration ----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def own_redis(folder: str) -> AsyncGenerator[str, None]:
    """Start a Redis server from PATH, and yield its URL."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        msg = "redis-server was not found on PATH. Install it, or use `docker compose up`"
        raise FileNotFoundError(msg)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = await asyncio.create_subprocess_exec(
        program, *options, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        await server.wait()


async def demo(workers: int, visitors: int) -> int:
    """Start the fleet, and print how many requests reached the server."""
    from metron_async.testing import FakeMetron

    fake = FakeMetron()
    fake.latency = 0.2
    with tempfile.TemporaryDirectory() as folder:
        async with own_redis(folder) as redis, fake.serve() as server:
            environment = os.environ | {
                "METRON_TOKEN": fake.token,
                "METRON_BASE_URL": server,
                "METRON_ASYNC_STORAGE": redis,
            }
            roles = [("web", "--visitors", str(visitors))] * workers + [("nightly", "7", "8", "9")]
            processes = [
                await asyncio.create_subprocess_exec(
                    sys.executable, __file__, *role, env=environment, stdout=asyncio.subprocess.PIPE
                )
                for role in roles
            ]
            for process in processes:
                output, _ = await process.communicate()
                print(output.decode().strip())
    sent, wanted = len(fake.requests), workers * visitors + 3
    print(f"{wanted} issues were wanted; the server was asked {sent} times, {fake.throttled} 429s")
    return 0 if sent < wanted and not fake.throttled else 1


def main() -> int:
    """Read the arguments, and report errors in one line."""
    parser = argparse.ArgumentParser(description="Web workers and a nightly job are one client.")
    commands = parser.add_subparsers(dest="command", required=True)
    web = commands.add_parser("web", help="show popular issues to visitors")
    nightly = commands.add_parser("nightly", help="fetch issues at the lowest priority")
    nightly.add_argument("ids", type=int, nargs="*", default=range(1, 1001))
    showing = commands.add_parser("demo", help="show it, without an account")
    showing.add_argument("--workers", type=int, default=3)
    for command in (web, showing):
        command.add_argument("--visitors", type=int, default=20)
    arguments = parser.parse_args()
    try:
        if arguments.command == "demo":
            return asyncio.run(demo(arguments.workers, arguments.visitors))
        visitors, ids = getattr(arguments, "visitors", 0), getattr(arguments, "ids", ())
        asyncio.run(work(arguments.command, visitors, ids))
    except (MetronError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
