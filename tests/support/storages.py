"""Decisions to test storages with, and a Redis server that a test may kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time

from metron_async.storage import Decided


def count(loaded):
    """Add one to the account's counter."""
    number = int(loaded.account or b"0") + 1
    return Decided(number, account=b"%d" % number)


def peek(loaded):
    """Return what was loaded, and change nothing."""
    return Decided(loaded)


def fail(kind):
    """Return a decision that enters a failure of the address, and counts."""

    def decide(loaded):
        failures = (loaded.address or b"").split()
        return Decided(
            len(failures) + 1, count(loaded).account, b" ".join([*failures, kind.encode()])
        )

    return decide


class RedisServer:
    """A redis-server of its own, on a port that stays the same."""

    def __init__(self, directory, *options):
        self.directory, self.options = directory, options
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        command = [shutil.which("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", str(self.directory), *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def command(self, *args):
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(" ".join(args).encode() + b"\r\n")
            return connection.recv(65536)
