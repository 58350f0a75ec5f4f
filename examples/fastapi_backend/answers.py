"""Responses to the browser when a call to Metron fails."""

from __future__ import annotations

import dataclasses
import logging
import math
from http import HTTPStatus

from metron_async import (
    AuthenticationError,
    BlockedError,
    ClosedError,
    MetronError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    StorageError,
    ValidationError,
)

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Response to the browser that reports an error.

    Attributes:
        status: HTTP status.
        message: Message for the user.
        retry_after: Seconds after which to retry, or ``None``.
    """

    status: int
    message: str
    retry_after: int | None = None


# The first class that matches is used.
REFUSALS: dict[type[MetronError], Refusal] = {
    NotFoundError: Refusal(404, "Not found."),
    ValidationError: Refusal(422, "Metron does not accept this."),
    RequestTimeoutError: Refusal(504, "Metron takes too long. Try again."),
    StorageError: Refusal(503, "Not ready. Try again.", 5),
    ClosedError: Refusal(503, "Not ready. Try again.", 5),
    AuthenticationError: Refusal(502, "This service has a problem with its account."),
    PermissionDeniedError: Refusal(502, "This service has a problem with its account."),
    RequestError: Refusal(502, "Metron does not respond as expected."),
    MetronError: Refusal(500, "This service has an error."),
}


def refusal(error: MetronError) -> Refusal:
    """Return the response for *error*.

    Errors of our account or our program are logged. The browser learns only that a service behind
    this one failed.
    """
    if isinstance(error, RateLimitError | BlockedError):
        # Rounded up, and never "0": a browser that retries too early is refused again.
        seconds = max(1, math.ceil(error.retry_after))
        return Refusal(503, f"Too many requests. Try again in {seconds} s.", seconds)
    response = next(response for kind, response in REFUSALS.items() if isinstance(error, kind))
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.log(logging.WARNING if error.retryable else logging.ERROR, "%r", error)
    return response
