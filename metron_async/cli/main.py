"""Runs a command, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import asyncio
import math
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING

from metron_async.cli.exits import INTERRUPTED, exit_code
from metron_async.cli.matching import match
from metron_async.cli.mirror import mirror
from metron_async.cli.parser import make_parser
from metron_async.cli.reading import get, list_rows, quota
from metron_async.client import AsyncMetron
from metron_async.errors import MetronError, RateLimitError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = {"quota": quota, "get": get, "list": list_rows, "mirror": mirror, "match": match}
_SECRETS = ("--token", "--password", "--username")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments; by default the program's own.

    Returns:
        The exit code; see :mod:`metron_async.cli.exits`.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = make_parser()
    # Refused before argparse sees it, since that repeats what it does not know.
    if any(argument.split("=")[0] in _SECRETS for argument in given):
        parser.error("credentials are taken from the environment only")
    options = parser.parse_args(given)
    try:
        return asyncio.run(_run(options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _complain(f"stopped.{_how_to_resume(options, given)}")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (MetronError, OSError, ImportError) as error:
        _complain(f"{_in_one_line(error)}{_how_to_resume(options, given)}")
        return exit_code(error)


async def _run(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None and os.name == "posix":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    max_wait = math.inf if getattr(options, "wait", False) else None
    async with _client(options, max_wait) as metron:
        code = await _COMMANDS[options.command](metron, options)
        sys.stdout.flush()
        return code


def _client(options: argparse.Namespace, max_wait: float | None) -> AsyncMetron:
    if options.demo:
        from metron_async.cli.demo import demo_client  # noqa: PLC0415 - needed by a demo only

        return demo_client(max_wait)
    return AsyncMetron(base_url=options.base_url, user_agent="metron-async-cli", max_wait=max_wait)


def _in_one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, RateLimitError):
        minutes = math.ceil(error.retry_after / 60)
        text += f" (try again in {minutes // 60} h {minutes % 60} min)"
    return text


def _how_to_resume(options: argparse.Namespace, given: Sequence[str]) -> str:
    kept = options.command == "mirror" or getattr(options, "write", "") == "json"
    if not kept or options.demo:
        return ""
    return f" What was fetched is kept; go on with: metron-async {shlex.join(given)}"


def _complain(text: str) -> None:
    sys.stderr.write(f"metron-async: {text}\n")
