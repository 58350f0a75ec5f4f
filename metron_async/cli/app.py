"""Entry point: runs a command, and turns a failure into one line and an exit code."""

from __future__ import annotations

import asyncio
import math
import os
import shlex
import signal
import sys
import warnings
from typing import TYPE_CHECKING

from metron_async.cli.exits import INTERRUPTED, exit_code
from metron_async.cli.output import complain, duration, ready, release
from metron_async.cli.parser import make_parser
from metron_async.errors import MetronError, MetronWarning, RateLimitError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Sequence

    from metron_async.client import AsyncMetron

__all__ = ["main"]

_SECRETS = ("--token", "--password", "--username")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments; by default the program's own.

    Returns:
        The exit code; see :mod:`metron_async.cli.exits`.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not ready():
        complain("the standard output is closed")
        return 1
    parser = make_parser()
    if not given:
        parser.print_help(sys.stderr)
        return 2
    # Refused before argparse sees it, because argparse repeats what it does not know.
    if any(argument.split("=")[0] in _SECRETS for argument in given):
        parser.error("credentials are taken from the environment only")
    options = parser.parse_args(given)
    try:
        return asyncio.run(_run(options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        complain(f"stopped.{_how_to_resume(options, given)}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has seen enough
        release()
        return 0
    except (MetronError, OSError, ImportError) as error:
        complain(f"{in_one_line(error)}{_how_to_resume(options, given)}")
        if isinstance(error, OSError) and not isinstance(error, MetronError):
            release()  # the disk may be full
        return exit_code(error)


async def _run(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None and os.name == "posix":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    max_wait = math.inf if getattr(options, "wait", False) else None
    async with _client(options, max_wait) as metron:
        code = await _command(metron, options)
        sys.stdout.flush()
        return code


def _command(metron: AsyncMetron, options: argparse.Namespace) -> Awaitable[int]:
    """Start the command. Only its own modules are loaded."""
    match options.command:
        case "quota":
            from metron_async.cli.reading import quota as command
        case "get":
            from metron_async.cli.reading import get as command
        case "list":
            from metron_async.cli.reading import list_rows as command
        case "mirror":
            from metron_async.cli.mirror import mirror as command
        case "match":
            from metron_async.cli.matching import match as command
        case "doctor":
            from metron_async.cli.doctor import doctor as command
        case _:
            from metron_async.cli.caching import cache as command
    return command(metron, options)


def _client(options: argparse.Namespace, max_wait: float | None) -> AsyncMetron:
    if options.demo:
        from metron_async.cli import demo

        return demo.demo_client(max_wait)
    from metron_async.client import AsyncMetron

    with warnings.catch_warnings():
        if options.storage == ":memory:":  # whose user knows that other programs do not see it
            warnings.simplefilter("ignore", MetronWarning)
        return AsyncMetron(
            "unused" if options.command == "cache" else None,  # the cache is that of all accounts
            base_url=options.base_url,
            allow_plain_http=options.allow_plain_http,
            storage=options.storage,
            user_agent="metron-async-cli",
            max_wait=max_wait,
        )


def in_one_line(error: BaseException) -> str:
    """Return the message of an error as one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, RateLimitError):
        text += f" (try again in {duration(math.ceil(error.retry_after / 60) * 60)})"
    return text


def _how_to_resume(options: argparse.Namespace, given: Sequence[str]) -> str:
    kept = options.command == "mirror" or getattr(options, "write", "") == "json"
    if not kept or options.demo:
        return ""
    return f" What was fetched, if anything, is kept; resume with: metron-async {shlex.join(given)}"
