"""All endpoints of the API: reads, and the writes that share their paths."""

from __future__ import annotations

from metron_async.testing._reads.catalogue import read_endpoints
from metron_async.testing._reads.collection import shelf_endpoints
from metron_async.testing._server.endpoints import Endpoint
from metron_async.testing._writes.catalogue import catalogue_writes
from metron_async.testing._writes.shelf import shelf_writes

__all__ = ["endpoints"]


def endpoints() -> list[Endpoint]:
    """Return all endpoints; those without a variable part come first, since they fit both."""
    found = {one.path: one for one in [*shelf_endpoints(), *read_endpoints()]}
    for path, methods in shelf_writes().items():
        found.setdefault(path, Endpoint(path, {})).methods |= methods
    for path, methods in catalogue_writes().items():
        endpoint = found.setdefault(path, Endpoint(path, {}))
        endpoint.methods |= methods
        endpoint.guarded = True
    return sorted(found.values(), key=lambda endpoint: endpoint.path.count("*"))
