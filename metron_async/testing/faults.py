"""Faults on demand, for the next requests.

Example:
    >>> fake = FakeMetron()
    >>> fake.faults.add(Fault.html_page(), times=2, path="/api/issue/")
    >>> fake.faults.add(Fault.status(502), method="GET", skip=3)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from metron_async.testing._faults.bodies import BodyFaults
from metron_async.testing._faults.responses import ResponseFaults
from metron_async.testing._server.checks import require_callable, require_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.messages import Request

__all__ = ["Fault", "Faults", "Planned"]


class Fault(ResponseFaults, BodyFaults):
    """Fault of one request or response; see the constructors.

    Example:
        >>> Fault.status(503, retry_after="5")
        >>> Fault.cut_body(0.3)
        >>> Fault.json(lambda body: body | {"count": "many"})
    """


@dataclasses.dataclass(slots=True)
class Planned:
    """Fault that is planned for coming requests.

    Attributes:
        fault: The fault.
        left: Number of requests that it will still affect; ``None`` for all.
        skip: Number of matching requests that pass first.
        path: Path, or prefix followed by ``*``, or predicate; ``None`` for any.
        method: HTTP method, or ``None`` for any.
        met: Number of requests that it has affected.
    """

    fault: Fault
    left: int | None = 1
    skip: int = 0
    path: str | Callable[[Request], bool] | None = None
    method: str | None = None
    met: int = 0

    def matches(self, request: Request) -> bool:
        """Return whether *request* is one of those that the fault is planned for."""
        if self.method is not None and request.method != self.method.upper():
            return False
        if self.path is None:
            return True
        if not isinstance(self.path, str):
            return self.path(request)
        if self.path.endswith("*"):
            return request.path.startswith(self.path[:-1])
        return request.path == self.path


class Faults:
    """Planned faults; each request gets the first one that matches."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []

    def add(
        self,
        fault: Fault,
        *,
        times: int | None = 1,
        path: str | Callable[[Request], bool] | None = None,
        method: str | None = None,
        skip: int = 0,
    ) -> Planned:
        """Plan *fault* for the next *times* requests that match.

        Args:
            fault: The fault.
            times: Number of requests; ``None`` for all of them.
            path: Path of the requests, or a prefix followed by ``*``, or a predicate.
            method: Method of the requests.
            skip: Number of matching requests that pass first.

        Returns:
            The planned fault; its ``met`` counts the requests that it affected.

        Raises:
            TypeError: *fault* is not a fault, perhaps since its constructor was not called.
            ValueError: A count is out of range, or no request can have this path.
        """
        _require_fault(fault)
        _require_plan(times, skip, path, method)
        planned = Planned(fault, left=times, skip=skip, path=path, method=method)
        self.planned.append(planned)
        return planned

    def clear(self) -> None:
        """Drop all planned faults."""
        self.planned.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the fault of *request*, or ``None``."""
        for planned in self.planned:
            if planned.left == 0 or not planned.matches(request):
                continue
            if planned.skip:
                planned.skip -= 1
                continue
            planned.met += 1
            if planned.left is not None:
                planned.left -= 1
                if planned.left == 0:
                    self.planned.remove(planned)
            return planned.fault
        return None


def _require_fault(fault: object) -> None:
    if isinstance(fault, Fault):
        return
    name = getattr(fault, "__name__", "")
    if getattr(fault, "__self__", None) is Fault:
        msg = f"Fault.{name} was not called: pass Fault.{name}()"
    else:
        msg = f"Expected a fault such as Fault.status(503), got {type(fault).__name__}"
    raise TypeError(msg)


def _require_plan(times: int | None, skip: int, path: object, method: object) -> None:
    if times is not None:
        require_count("times", times)
    require_count("skip", skip)
    if not isinstance(method, str | None):
        msg = f"Invalid method: expected an HTTP method such as 'GET', got {type(method).__name__}"
        raise TypeError(msg)
    if isinstance(path, str):
        if not path.startswith(("/", "*")):
            msg = f"Invalid path: expected one that begins with '/', got {path!r}"
            raise ValueError(msg)
    elif path is not None:
        require_callable("path", path)
