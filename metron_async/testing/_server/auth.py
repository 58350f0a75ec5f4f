"""Who asks: Bearer tokens and Basic credentials, with the server's messages."""

# ruff: noqa: EM101, TRY003 - what is raised here are answers, not messages

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from metron_async.testing._server.messages import HttpError, error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metron_async.testing._data.accounts import Account

__all__ = ["authenticate", "refused"]

_MISSING = "Authentication credentials were not provided."


def refused(message: str = _MISSING) -> HttpError:
    """Return a 401; it costs no quota."""
    return error(401, message, www_authenticate='Basic realm="api"')


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def authenticate(header: str | None, accounts: Iterable[Account]) -> Account:
    """Return whose credentials *header* carries.

    Args:
        header: The ``Authorization`` header, if there was one.
        accounts: All accounts.

    Raises:
        HttpError: A 401.
    """
    scheme, _, rest = (header or "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return _by_token(rest.strip(), accounts)
        case "basic":
            return _by_password(rest.strip(), accounts)
        case _:
            raise refused()


def _by_token(token: str, accounts: Iterable[Account]) -> Account:
    for account in accounts:
        if any(_same(token, known) for known in account.tokens):
            return account
    raise refused("Invalid token.")


def _by_password(encoded: str, accounts: Iterable[Account]) -> Account:
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        message = "Invalid basic header. Credentials not correctly base64 encoded."
        raise refused(message) from None
    for account in accounts:
        if account.username == username and _same(account.password, password):
            return account
    raise refused("Invalid username/password.")
