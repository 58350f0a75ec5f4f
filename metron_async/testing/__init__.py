"""A fake Metron server for tests and demonstrations: :class:`FakeMetron`.

Its responses, quotas and bans are those of the real server, as far as they were measured.
Needs ``metron-async[testing]`` for sockets and for writes with files.
"""

from typing import TYPE_CHECKING

from metron_async._lazy import lazy

if TYPE_CHECKING:
    from metron_async.testing._server.wire import *
    from metron_async.testing.bans import *
    from metron_async.testing.clock import *
    from metron_async.testing.fake import *
    from metron_async.testing.faults import *
    from metron_async.testing.records import *

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

_HOMES = (
    "metron_async.testing.clock",
    "metron_async.testing.bans",
    "metron_async.testing.faults",
    "metron_async.testing.records",
    "metron_async.testing._server.wire",
    "metron_async.testing.fake",
)

if not TYPE_CHECKING:  # a misspelled name is an error to type checkers
    __getattr__, __dir__ = lazy(__name__, _HOMES)
