"""Every error this package raises, in one tree under :class:`MetronError`.

An error carries what a program needs to react: the HTTP ``status`` if there was a response, the
``path`` of the request, the server's own message, and ``retryable``: whether the same call can
succeed later without being changed. Its ``__cause__`` is what led to it, such as the attempt
before. No error ever holds a credential.
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
    "InterceptedError",
    "MetronError",
    "MetronWarning",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestError",
    "RequestTimeoutError",
    "RetryLaterError",
    "ServerError",
    "StatusError",
    "StorageError",
    "TransportError",
    "UsageError",
    "ValidationError",
]


class MetronError(Exception):
    """Base of all errors of this package.

    Attributes:
        status: HTTP status of the response, or ``None`` if there was none.
        path: Path and query of the request, or ``None`` outside of a request.
        retryable: Whether the unchanged call may succeed later, and may safely be made again.
        outcome_unknown: Whether this was a write that the server may have carried out in spite of
            the error. To repeat it may duplicate it.
    """

    retryable: bool = False
    outcome_unknown: bool = False

    def __init__(self, message: str, *, path: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message: str = message
        self.path = path
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        """Make errors picklable and copyable, whatever their constructors take."""
        return _revive, (type(self), self.args, self.__dict__.copy())

    def doubt_outcome(self) -> None:
        """Record that a write may have been carried out, and say so in the message."""
        self.outcome_unknown = True
        self.retryable = False
        self.add_hint(
            "It is unknown whether the server carried out this write. Check before repeating it,"
            " since a repeat may duplicate it"
        )

    def add_hint(self, hint: str) -> None:
        """Append a sentence to the message."""
        self.message = f"{self.message.rstrip('.')}. {hint}"

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

    Raised for unknown or ill-typed filters, invalid ids, and inputs that the server is known to
    refuse.
    """


class ConfigurationError(UsageError):
    """The client cannot be built from these arguments and this environment."""


class ClosedError(MetronError, RuntimeError):
    """The client was used after closing, from another event loop, or after a fork."""


class RequestError(MetronError):
    """Base of the errors of a request that was sent, or should have been."""


class StatusError(RequestError):
    """Base of the errors that the server responded with.

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
    """The object does not exist, or is private to another user (404)."""


class AuthenticationError(StatusError):
    """The server refuses the credentials (401)."""


class PermissionDeniedError(StatusError):
    """The account is not allowed to do this (403); creating and updating takes an editor."""


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


class RetryLaterError(RequestError):
    """Base of the refusals that end by themselves, here or at the server's throttle.

    Without a ``status`` nothing was sent: the client itself refused, before any attempt or before
    another one, whose predecessor is then the ``__cause__``. Either way the server has not
    carried the request out.

    Attributes:
        retry_after: Seconds until the call can be made at the earliest.
    """

    retryable = True
    retry_after: float


class RateLimitError(RetryLaterError):
    """The quota does not allow this call now.

    Raised before sending when the wait would be longer than ``max_wait``, or after the server
    itself responded with 429.

    Attributes:
        scope: ``"burst"`` for the minute's quota, ``"sustained"`` for the day's.
        retry_after: Seconds until the call can be made at the earliest.
        limit: Requests that the window allows, or ``None`` if not known yet.
        detail: The server's own message, or ``None`` if nothing was sent.
    """

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
        super().__init__(message, path=path, status=status)
        self.detail = detail
        self.scope: Literal["burst", "sustained"] = scope
        self.retry_after = retry_after
        self.limit = limit


class TransportError(RequestError):
    """The connection failed: to the server or through a proxy, before or during the response.

    Attributes:
        outcome_unknown: ``True`` if the server may have carried the request out. A write that
            failed like this must not simply be sent again.
        retryable: ``False`` if the same would happen again, as with an untrusted certificate or a
            proxy that refuses its credentials.
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
    """The response is not in the format that the API documents.

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


class InterceptedError(DecodeError):
    """Something in front of the server responded with an HTML page, and not the API.

    A bot filter, a captive portal or the server's own proxy can do so with any status. It says
    nothing about the account, its quota or the object. (With a 5xx it is a
    :class:`ServerError`.)
    """


class PaginationError(DecodeError):
    """The pages of a list are inconsistent: a foreign ``next``, or no progress."""


class IncompleteListError(PaginationError):
    """Rows of a list are missing, and it was read with ``strict=True``.

    Attributes:
        missing: Number of missing rows.
    """

    def __init__(self, message: str, *, path: str | None = None, missing: int = 0) -> None:
        super().__init__(message, path=path)
        self.missing = missing


class BlockedError(RetryLaterError):
    """Request blocked locally, to avoid a ban of this address by the server's firewall.

    Attributes:
        reason: What was counted.
        retry_after: Seconds until a call is admitted again, at the earliest.
        denied: Whether the server denied access before (401, 403). Cached data does not stand in
            for such a call.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        retry_after: float,
        denied: bool = False,
        path: str | None = None,
    ) -> None:
        super().__init__(message, path=path)
        self.reason = reason
        self.retry_after = retry_after
        self.denied = denied


class CacheError(MetronError):
    """The cache cannot do what was requested, such as an ``offline`` miss."""


class StorageError(MetronError):
    """The storage of the shared state cannot be reached or used, so nothing is sent."""

    retryable = True


class MetronWarning(UserWarning):
    """Base of the warnings of this package."""


class IncompleteListWarning(MetronWarning):
    """Rows of a list are missing."""
