"""Authentication and authorization, with the server's messages."""

# ruff: noqa: EM101, TRY003 - these messages go into responses

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from metron_async.testing._server.messages import HttpError, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.testing.records import Account

__all__ = ["authenticate", "authorize"]

_MISSING = "Authentication credentials were not provided."
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def _refused(message: str = _MISSING, *, cookie: bool = True) -> HttpError:
    """Return a 401, which costs no quota.

    The server looks at Basic credentials first, then at a session cookie, then at a token.
    So ``Vary`` names the cookie, except where Basic credentials were sent.
    """
    vary = "Accept, Accept-Language, Cookie" if cookie else "Accept, Accept-Language"
    return error(401, message, www_authenticate='Basic realm="api"', vary=vary)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def authenticate(header: str | None, accounts: Mapping[str, Account]) -> Account:
    """Return the account whose credentials *header* carries.

    Args:
        header: The ``Authorization`` header, if there was one.
        accounts: All accounts, by user name.

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
            raise _refused()


def _by_token(token: str, accounts: Mapping[str, Account]) -> Account:
    for account in accounts.values():
        if any(_same(token, known) for known in account.tokens):
            return account
    raise _refused("Invalid token.")


def _by_password(encoded: str, accounts: Mapping[str, Account]) -> Account:
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        message = "Invalid basic header. Credentials not correctly base64 encoded."
        raise _refused(message, cookie=False) from None
    account = accounts.get(username)
    if account is None or not _same(account.password, password):
        raise _refused("Invalid username/password.", cookie=False)
    return account


def authorize(account: Account, method: str) -> None:
    """Check the permission of *account* on the catalogue.

    This precedes the choice of a handler: a method that does not exist is a 403 for accounts
    that may not use it elsewhere.

    Raises:
        HttpError: A 403, which costs no quota.
    """
    if method in _SAFE:
        return
    if not account.editor or (method == "DELETE" and not account.may_delete):
        raise error(403, "You do not have permission to perform this action.")
