"""Admission: may this request be sent now?

One decision covers the quota of the account and the firewall of the server, for all processes and
hosts that share a storage. :class:`Controller` is the part that an engine calls. The client still
uses :mod:`metron_async.quota` and the ban guard, which this package will replace. The theory of the
quota is at the top of :mod:`.window` and :mod:`.account`, that of bans in :mod:`.address`.
"""

from __future__ import annotations

from metron_async.admission.controller import Controller
from metron_async.admission.permit import EndKind, Permit, RequestEnd, Shared
from metron_async.admission.queue import Waiter
from metron_async.admission.state import DEFAULT_RULES, Rules, WindowRules
from metron_async.admission.waits import QuotaState, Wait, WindowState, allowed_wait, wait_error
from metron_async.types import Priority

__all__ = [
    "DEFAULT_RULES",
    "Controller",
    "EndKind",
    "Permit",
    "Priority",
    "QuotaState",
    "RequestEnd",
    "Rules",
    "Shared",
    "Wait",
    "Waiter",
    "WindowRules",
    "WindowState",
    "allowed_wait",
    "wait_error",
]
