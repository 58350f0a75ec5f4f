"""Records of the fake server, which its builders return and tests read or change."""

from __future__ import annotations

from metron_async.testing._data import own_records, records
from metron_async.testing._data.own_records import *  # noqa: F403
from metron_async.testing._data.records import *  # noqa: F403

__all__: list[str] = []
__all__ += own_records.__all__
__all__ += records.__all__
