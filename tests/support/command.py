"""Runs the command in a process of its own, also on a terminal."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "reader-token"


@dataclasses.dataclass
class Ran:
    """What a command has left behind."""

    code: int | None
    out: str
    err: str


def environment(folder: Path, **changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("METRON_", "NO_COLOR"))}
    home = {"XDG_CACHE_HOME": str(folder), "HOME": str(folder), "TERM": "xterm", "COLUMNS": "150"}
    return {**kept, **home, "METRON_TOKEN": TOKEN, **changes}


def _restore_sigint() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def start(folder: Path, *arguments: str, **more: object) -> asyncio.subprocess.Process:
    settings: dict[str, object] = {
        "env": environment(folder),
        "cwd": str(folder),
        "stdin": asyncio.subprocess.DEVNULL,
        "stdout": asyncio.subprocess.PIPE,
        "stderr": asyncio.subprocess.PIPE,
        **more,
    }
    # A shell that starts a job in the background (`nohup ... &`) lets it ignore SIGINT.
    settings.setdefault("preexec_fn", _restore_sigint if os.name == "posix" else None)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "metron_async",
        *arguments,
        **settings,  # type: ignore[arg-type]
    )


async def run(folder: Path, *arguments: str, **changes: str) -> Ran:
    process = await start(folder, *arguments, env=environment(folder, **changes))
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ran(process.returncode, out.decode(), err.decode())
