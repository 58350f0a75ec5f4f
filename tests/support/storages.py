"""Decisions to test storages with, and a Redis server that a test may kill."""

from __future__ import annotations

import os
import signal
import socket

from support import redis_server

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
    """A Redis server of its own, on a port that stays the same."""

    def __init__(self, directory, *options):
        self.directory, self.options = directory, options
        self.port = redis_server.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        self.process = redis_server.start(self.directory, self.port, *self.options)

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
