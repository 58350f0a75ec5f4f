"""Who calls: credentials, and the names under which quota, guard and cache know an account.

Nothing here ever prints a secret. What is stored are digests that cannot be turned back: a token
is long and random, so a digest of it gives nothing away; a password is not, so at most 20 bits of
a digest of it are ever written, too few to tell the right guess from thousands of wrong ones.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from typing import TYPE_CHECKING

from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Credentials", "resolve_credentials", "scoped_key"]

_TOKEN, _USERNAME, _PASSWORD = "METRON_TOKEN", "METRON_USERNAME", "METRON_PASSWORD"


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A Bearer token, or the user name and password of HTTP Basic."""

    token: str | None = None
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({'token' if self.token else 'basic'}: hidden)"

    @property
    def header(self) -> str:
        """Value of the ``Authorization`` header."""
        if self.token is not None:
            return f"Bearer {self.token}"
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")

    def account_name(self, account: str | None) -> str:
        """Name the account whose quota is spent.

        Args:
            account: The Metron user as the caller names them; two tokens of one user share a
                budget only if both clients are given it.

        Raises:
            ConfigurationError: If *account* is no name.
        """
        if account is not None:
            if not isinstance(account, str) or not account.strip():
                msg = f"account must be the name of a Metron user, got {account!r}"
                raise ConfigurationError(msg)
            return f"user:{account}"
        if self.username is not None:
            return f"user:{self.username}"
        return f"token:{_digest(self.token or '')}"

    @property
    def cache_name(self) -> str:
        """Name whose cached answers these credentials may see: never wider than one account."""
        return self.account_name(None)

    @property
    def latch_name(self) -> str:
        """Name under which the ban guard remembers whether these very credentials work."""
        if self.username is None:
            return f"token:{_digest(self.token or '')}"
        return f"user:{self.username}:{_digest(self.header)[:5]}"


def _digest(text: str) -> str:
    return hashlib.sha256(b"metron_async\0" + text.encode()).hexdigest()


def scoped_key(origin: str, name: str) -> str:
    """Return the key of *name* at the server *origin*, fit for files and shared stores."""
    return hashlib.sha256(f"{origin}\0{name}".encode()).hexdigest()[:40]


def resolve_credentials(
    token: str | None,
    username: str | None,
    password: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Credentials:
    """Take the credentials from the arguments, or else from the environment.

    Args:
        token: API token.
        username: User name for HTTP Basic.
        password: Password for HTTP Basic.
        environment: Where ``METRON_TOKEN``, or ``METRON_USERNAME`` and ``METRON_PASSWORD``, are
            looked up if no argument is given.

    Raises:
        ConfigurationError: If there are none, half of them, or two kinds at once.
    """
    given = (token, username, password)
    if all(value is None for value in given):
        token = environment.get(_TOKEN) or None
        if token is None:
            username = environment.get(_USERNAME) or None
            password = environment.get(_PASSWORD) or None
    if token is not None and (username is not None or password is not None):
        msg = "Give either a token, or a username and a password, not both"
        raise ConfigurationError(msg)
    if token is not None:
        return Credentials(token=_checked("token", token))
    if username is None and password is None:
        msg = (
            f"No credentials: set {_TOKEN} (or {_USERNAME} and {_PASSWORD}) in the environment,"
            " or pass token=... (or username=... and password=...)"
        )
        raise ConfigurationError(msg)
    if username is None or password is None:
        missing = "username" if username is None else "password"
        msg = f"Half of the credentials is missing: the {missing}"
        raise ConfigurationError(msg)
    username, password = _checked("username", username), _checked("password", password)
    if ":" in username:
        msg = "A username cannot hold a colon in HTTP Basic authentication"
        raise ConfigurationError(msg)
    return Credentials(username=username, password=password)


def _checked(name: str, value: object) -> str:
    """Refuse what cannot travel in a header, without repeating it in the message."""
    if not isinstance(value, str):
        msg = f"The {name} must be a text"
        raise ConfigurationError(msg)
    if not value.strip():
        msg = f"The {name} is empty"
        raise ConfigurationError(msg)
    plain = value.isascii() if name == "token" else True
    if not plain or any(ord(char) < 32 or ord(char) == 127 for char in value):  # noqa: PLR2004
        msg = f"The {name} holds a character that cannot be sent"
        raise ConfigurationError(msg)
    if name == "token" and any(char.isspace() for char in value):
        msg = "The token holds a space; pass it alone, without the word Bearer"
        raise ConfigurationError(msg)
    return value
