"""Tracing libraries that the application uses. They are found where it has imported them.

Nothing is imported here that the application has not imported, and where it uses none of them a
call costs a few lookups.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import ExitStack

    from metron_async._otel import OpenTelemetry

__all__ = ["SentryScopes", "opentelemetry", "sentry_scopes"]


def opentelemetry() -> OpenTelemetry | None:
    """Return OpenTelemetry, if the application has imported it."""
    if "opentelemetry.trace" in sys.modules or "opentelemetry.metrics" in sys.modules:
        return _load_opentelemetry()
    return None


@functools.cache
def _load_opentelemetry() -> OpenTelemetry | None:
    try:
        from metron_async._otel import OpenTelemetry  # noqa: PLC0415 - an extra
    except ImportError:  # a part of it is missing
        return None
    return OpenTelemetry() if OpenTelemetry.is_supported() else None


class SentryScopes:
    """Sentry's scopes of one call: where its spans and breadcrumbs go.

    Args:
        sentry: The module ``sentry_sdk``.
    """

    __slots__ = ("_current", "_isolation")

    def __init__(self, sentry: Any) -> None:
        self._isolation: Any = sentry.get_isolation_scope()
        self._current: Any = sentry.get_current_scope().fork()

    def enter(self, stack: ExitStack) -> None:
        """Make them current until *stack* is left."""
        scope: Any = sys.modules["sentry_sdk.scope"]
        stack.enter_context(scope.use_isolation_scope(self._isolation))
        stack.enter_context(scope.use_scope(self._current))


def sentry_scopes() -> SentryScopes | None:
    """Return the scopes of the running call, if the application uses Sentry."""
    sentry: Any = sys.modules.get("sentry_sdk")
    if sentry is None or not hasattr(sentry, "get_isolation_scope"):  # new in 2.0
        return None
    return SentryScopes(sentry) if sentry.get_client().is_active() else None
