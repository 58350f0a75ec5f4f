"""Admission: may this request be sent now?

One decision covers the quota of the account and the firewall of the server, for all processes and
hosts that share a storage. :class:`Controller` is the part that an engine calls. The theory of the
quota is at the top of :mod:`.window` and :mod:`.account`, that of bans in :mod:`.address`.
"""

from __future__ import annotations

from metron_async.admission.controller import Controller
from metron_async.admission.permit import EndKind, Permit, RequestEnd, Shared
from metron_async.admission.queue import Waiter
from metron_async.admission.quota_state import QuotaState, WindowState
from metron_async.admission.state import DEFAULT_RULES, SUSTAINED, Rules, WindowRules
from metron_async.admission.waits import wait_error
from metron_async.types import Priority

__all__ = [
    "DEFAULT_RULES",
    "SUSTAINED",
    "Controller",
    "EndKind",
    "Permit",
    "Priority",
    "QuotaState",
    "RequestEnd",
    "Rules",
    "Shared",
    "Waiter",
    "WindowRules",
    "WindowState",
    "wait_error",
]
