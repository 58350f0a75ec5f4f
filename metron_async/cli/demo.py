"""A client of a fake server in the same process, for ``--demo``."""

from __future__ import annotations

from metron_async.client import AsyncMetron
from metron_async.testing import FakeMetron

__all__ = ["demo_client"]


def demo_client(max_wait: float | None) -> AsyncMetron:
    """Return a client of a fake server with 600 issues and the usual quota."""
    fake = FakeMetron()
    fake.latency = 0.1
    return AsyncMetron(token=fake.token, transport=fake.transport(), cache=None, max_wait=max_wait)
