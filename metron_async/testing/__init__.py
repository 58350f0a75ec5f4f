"""A fake Metron server for tests and demonstrations: :class:`FakeMetron`.

Its responses, quotas and bans are those of the real server, as far as they were measured.
Needs ``metron-async[testing]`` for sockets and for writes with files.
"""

from __future__ import annotations

from metron_async.testing._server.wire import LoggedRequest
from metron_async.testing.bans import Ban
from metron_async.testing.clock import VirtualTimeLoop, run_virtual
from metron_async.testing.fake import FakeMetron
from metron_async.testing.faults import Fault, Faults, Planned
from metron_async.testing.records import Account

__all__ = [
    "Account",
    "Ban",
    "FakeMetron",
    "Fault",
    "Faults",
    "LoggedRequest",
    "Planned",
    "VirtualTimeLoop",
    "run_virtual",
]
