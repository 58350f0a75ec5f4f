"""A Metron server in a box, for tests and demonstrations: :class:`FakeMetron`.

It behaves as the real one was measured to: same bodies, same quota, same bans; see its docstring.
Needs ``metron-async[testing]``.
"""

from __future__ import annotations

from metron_async.testing.clock import VirtualTimeLoop, run_virtual
from metron_async.testing.fake import FakeMetron
from metron_async.testing.faults import Fault

__all__ = ["FakeMetron", "Fault", "VirtualTimeLoop", "run_virtual"]
