"""Run a fake Metron server: ``python -m metron_async.testing --port 8000``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

from metron_async.testing.fake import FakeMetron

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m metron_async.testing", description="Run a fake Metron server."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8000, help="port, 0 for a free one (default: %(default)s)")
    add("--issues", type=int, default=600, help="size of the catalogue (default: %(default)s)")
    add("--seed", type=int, default=1, help="another seed gives another catalogue")
    add("--token", default="reader-token", help="Bearer token (default: %(default)s)")
    add("--burst", type=int, default=20, help="requests per minute (default: %(default)s)")
    add("--sustained", type=int, default=5000, help="requests per day (default: %(default)s)")
    add("--minute", type=float, default=60.0, help="seconds of the short window (default: 60)")
    add("--latency", type=float, default=0.0, help="seconds of a round trip (default: 0)")
    add("--no-throttle", action="store_true", help="turn the quota off")
    add("--no-bans", action="store_true", help="turn bans off")
    add("--older", action="store_true", help="behave like servers before September 2026")
    return parser


def _fake(options: argparse.Namespace) -> FakeMetron:
    fake = FakeMetron(
        options.issues,
        options.seed,
        token=options.token,
        throttle=not options.no_throttle,
        burst=options.burst,
        sustained=options.sustained,
        burst_period=options.minute,
        newer=not options.older,
        bans=not options.no_bans,
        keep_requests=1000,
    )
    fake.latency = options.latency
    return fake


async def _serve(options: argparse.Namespace) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows does not have these handlers: Ctrl-C cancels this task there.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, over.set)
    try:
        await _until(over, options)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)


async def _until(over: asyncio.Event, options: argparse.Namespace) -> None:
    fake = _fake(options)
    async with fake.serve(options.host, options.port) as url:
        sys.stdout.write(f"FakeMetron listens on {url}\n")
        for account in fake.accounts.values():
            role = "editor" if account.editor else "reader"
            sys.stdout.write(
                f"  {account.username} ({role}): token {account.tokens[0]}, "
                f"password {account.password}\n"
            )
        sys.stdout.write("Stop it with Ctrl-C.\n")
        sys.stdout.flush()
        await over.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C.

    Args:
        arguments: Command line arguments; by default the program's own.

    Returns:
        The exit code: 0, or 1 if it cannot listen.
    """
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:  # pragma: no cover - Windows
        return 0
    except (OSError, ImportError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
