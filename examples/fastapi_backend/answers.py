"""What a browser is told when Metron cannot be asked, or says no."""

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
    QuotaStoreError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    ValidationError,
)

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """An answer without what was asked for.

    Attributes:
        status: HTTP status.
        message: What to tell the person in front of the browser.
        retry_after: Seconds after which to try again, or ``None``.
    """

    status: int
    message: str
    retry_after: int | None = None


# The first that fits counts.
REFUSALS: dict[type[MetronError], Refusal] = {
    NotFoundError: Refusal(404, "There is no such thing."),
    ValidationError: Refusal(422, "Metron does not accept this."),
    RequestTimeoutError: Refusal(504, "Metron takes too long. Try again."),
    QuotaStoreError: Refusal(503, "Not ready. Try again.", 5),
    ClosedError: Refusal(503, "Not ready. Try again.", 5),
    AuthenticationError: Refusal(502, "This service has a problem with its account."),
    PermissionDeniedError: Refusal(502, "This service has a problem with its account."),
    RequestError: Refusal(502, "Metron does not answer as it should."),
    MetronError: Refusal(500, "This service has a mistake."),
}


def refusal(error: MetronError) -> Refusal:
    """Turn *error* into an honest answer.

    What is wrong with our account or our program is none of the browser's business: it goes to the
    log, and the browser hears that something behind us failed.
    """
    if isinstance(error, RateLimitError | BlockedError):
        # Rounded up, and never "0": who comes back a moment too early is refused again.
        seconds = max(1, math.ceil(error.retry_after))
        return Refusal(503, f"Too many questions. Try again in {seconds} s.", seconds)
    told = next(told for kind, told in REFUSALS.items() if isinstance(error, kind))
    if told.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.log(logging.WARNING if error.retryable else logging.ERROR, "%r", error)
    return told
