"""Every error this package raises, in one tree under :class:`MetronError`.

An error carries what a caller needs to react: the HTTP ``status`` where there was one, the
``path`` that was asked for, the server's own message, and ``retryable``: whether the same call
can succeed later without being changed. No error ever holds a credential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AuthenticationError",
    "BlockedError",
    "CacheError",
    "ClosedError",
    "ConfigurationError",
    "DecodeError",
    "IncompleteListError",
    "IncompleteListWarning",
    "MetronError",
    "MetronWarning",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "QuotaStoreError",
    "RateLimitError",
    "RequestError",
    "RequestTimeoutError",
    "ServerError",
    "StatusError",
    "TransportError",
    "UsageError",
    "ValidationError",
]


class MetronError(Exception):
    """Base of all errors of this package.

    Attributes:
        status: HTTP status of the answer, or ``None`` where there was none.
        path: Path and query that were asked for, or ``None`` outside of a request.
        retryable: Whether the unchanged call may succeed later, and may safely be made again.
        outcome_unknown: Whether this was a write that the server may have carried out all the
            same. To repeat it may duplicate it.
    """

    retryable: bool = False
    outcome_unknown: bool = False

    def __init__(self, message: str, *, path: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message: str = message
        self.path = path
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        """Let errors be pickled and copied, whatever their constructors take."""
        return _revive, (type(self), self.args, self.__dict__.copy())

    def doubt_outcome(self) -> None:
        """Note that nobody knows whether a write was carried out, and tell so in the message."""
        self.outcome_unknown = True
        self.retryable = False
        self.add_hint(
            "Whether the server has carried this write out is unknown: look before repeating it,"
            " since a repeat may duplicate it"
        )

    def add_hint(self, hint: str) -> None:
        """Append what else is known to the message."""
        self.message += f". {hint}"

    def __str__(self) -> str:
        where = [str(self.status)] if self.status is not None else []
        where += [self.path] if self.path is not None else []
        return f"{self.message} [{' '.join(where)}]" if where else self.message


def _revive(
    kind: type[MetronError], args: tuple[object, ...], state: dict[str, object]
) -> MetronError:
    error = kind.__new__(kind, *args)
    error.args = args  # OSError, a base of one kind, does not set them
    error.__dict__.update(state)
    return error


class UsageError(MetronError, ValueError):
    """The call itself is wrong; nothing was sent.

    Raised for unknown or ill-typed filters, ids that are no ids, and inputs that the server is
    known to refuse.
    """


class ConfigurationError(UsageError):
    """The client cannot be built like this: credentials, User-Agent or ``base_url``."""


class ClosedError(MetronError, RuntimeError):
    """The client was used after closing, from another event loop, or after a fork."""


class RequestError(MetronError):
    """Base of everything that can go wrong with a request that was, or should have been, sent."""


class StatusError(RequestError):
    """Base of the errors that the server answered with.

    Attributes:
        detail: The server's own message, or ``None`` if it gave none.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        status: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message, path=path, status=status)
        self.detail = detail


class NotFoundError(StatusError):
    """There is no such object, or it is private to somebody else (404)."""


class AuthenticationError(StatusError):
    """The server refuses the credentials (401)."""


class PermissionDeniedError(StatusError):
    """The account may not do this (403); creating and updating takes an editor."""


class ValidationError(StatusError):
    """The server refuses a value (400).

    Attributes:
        fields: Messages by field; ``non_field_errors`` for those about several fields. For a
            list of credits the keys are ``"<row>.<field>"``.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        status: int | None = 400,
        detail: str | None = None,
        fields: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(message, path=path, status=status, detail=detail)
        self.fields: dict[str, tuple[str, ...]] = dict(fields or {})


class ServerError(StatusError):
    """The server, or the proxy in front of it, failed (5xx), and retrying did not help."""

    retryable = True


class RateLimitError(StatusError):
    """The quota does not allow this call now.

    Raised before sending when the wait would be longer than ``max_wait``, or after the server
    itself answered 429.

    Attributes:
        scope: ``"burst"`` for the minute's quota, ``"sustained"`` for the day's.
        retry_after: Seconds until the earliest moment at which the call can be made.
        limit: Requests that the window allows, or ``None`` if not known yet.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        scope: Literal["burst", "sustained"],
        retry_after: float,
        limit: int | None = None,
        path: str | None = None,
        status: int | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message, path=path, status=status, detail=detail)
        self.scope: Literal["burst", "sustained"] = scope
        self.retry_after = retry_after
        self.limit = limit


class TransportError(RequestError):
    """The connection failed: no answer, or half of one.

    Attributes:
        outcome_unknown: ``True`` if the server may have carried the request out all the same. A
            write that failed like this must not simply be sent again.
    """

    retryable = True

    def __init__(
        self, message: str, *, path: str | None = None, outcome_unknown: bool = False
    ) -> None:
        super().__init__(message, path=path)
        self.outcome_unknown = outcome_unknown


class RequestTimeoutError(TransportError, TimeoutError):
    """No response within the caller's ``timeout`` or the socket's own limits."""


class DecodeError(RequestError):
    """The body is not what the API promises.

    Attributes:
        where: Place in the body, such as ``$.results[3].modified``, or ``None``.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        status: int | None = None,
        where: str | None = None,
    ) -> None:
        super().__init__(message, path=path, status=status)
        self.where = where


class PaginationError(DecodeError):
    """A list went where no right answer exists: a foreign ``next``, or no progress."""


class IncompleteListError(PaginationError):
    """A list ended with fewer rows than it promised, and ``strict=True`` was asked for.

    Attributes:
        missing: Rows that were promised and never came.
    """

    def __init__(self, message: str, *, path: str | None = None, missing: int = 0) -> None:
        super().__init__(message, path=path)
        self.missing = missing


class BlockedError(RequestError):
    """The ban guard refuses to send, since the server's firewall would soon ban the address.

    Attributes:
        reason: What was counted.
        retry_after: Seconds until the guard lets a call through again.
    """

    retryable = True

    def __init__(
        self, message: str, *, reason: str, retry_after: float, path: str | None = None
    ) -> None:
        super().__init__(message, path=path)
        self.reason = reason
        self.retry_after = retry_after


class CacheError(MetronError):
    """The cache cannot do what was asked for explicitly, such as an ``offline`` miss."""


class QuotaStoreError(MetronError):
    """The shared quota store cannot be reached or read, so nothing may be sent."""

    retryable = True


class MetronWarning(UserWarning):
    """Base of the warnings of this package."""


class IncompleteListWarning(MetronWarning):
    """A list ended with fewer rows than it promised."""
