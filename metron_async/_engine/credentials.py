"""Credentials, and the names under which admission and cache know an account.

Secrets never appear in a repr or a message. Only digests are stored: a token is long and random,
so a digest of it reveals nothing; a password is not, so at most 20 bits of a digest of it are ever
written, too few to tell the right guess from thousands of wrong ones.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Credentials", "resolve_credentials", "scoped_key"]

_TOKEN, _TOKEN_FILE = "METRON_TOKEN", "METRON_TOKEN_FILE"
_USERNAME, _PASSWORD = "METRON_USERNAME", "METRON_PASSWORD"
_LONGEST = 10_000  # characters
_SCRYPT_COST = 2**14  # 16 MB and some 50 ms
_CONTROLS = frozenset(map(chr, [*range(32), 127]))


class Credentials(msgspec.Struct, frozen=True):
    """A Bearer token, or the user name and password of HTTP Basic."""

    token: str | None = None
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({'token' if self.token else 'basic'}: hidden)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("token" if self.token else "basic", "hidden")]

    @property
    def header(self) -> str:
        """Value of the ``Authorization`` header."""
        if self.token is not None:
            return f"Bearer {self.token}"
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")

    def account_name(self, account: str | None) -> str:
        """Return the name of the account whose quota is spent.

        Args:
            account: The Metron user as the caller names them; two tokens of one user share a
                budget only if both clients are given it.

        Raises:
            ConfigurationError: If *account* is not a name.
        """
        if account is not None:
            if not isinstance(account, str) or not account.strip() or not _encodable(account):
                msg = "account must be the name of a Metron user: a string that is not empty"
                raise ConfigurationError(msg)
            return f"user:{account}"
        if self.username is not None:
            return f"user:{self.username}"
        return f"token:{_digest(self.token or '')}"

    @property
    def cache_name(self) -> str:
        """Name whose cached responses these credentials may see: never wider than one account."""
        return self.account_name(None)

    async def proof(self) -> str:
        """Return a name that only these very credentials have, for what only they may see.

        A password is hashed slowly and in a thread: in a cache that others can read, a quick hash
        would be a way to test guesses.
        """
        if self.username is None:
            return self.cache_name
        return await asyncio.to_thread(_slow_digest, self.username, self.password or "")

    @property
    def guard_name(self) -> str:
        """Name under which admission records whether these very credentials work."""
        if self.username is None:
            return f"token:{_digest(self.token or '')}"
        return f"user:{self.username}:{_digest(self.header)[:5]}"


def _digest(text: str) -> str:
    return hashlib.sha256(b"metron_async\0" + text.encode()).hexdigest()


def _slow_digest(username: str, password: str) -> str:
    salt = hashlib.sha256(b"metron_async\0" + username.encode()).digest()
    digest = hashlib.scrypt(password.encode(), salt=salt, n=_SCRYPT_COST, r=8, p=1, maxmem=64 << 20)
    return f"user:{username}:{digest.hex()}"


def scoped_key(origin: str, name: str) -> str:
    """Return the key of *name* at the server *origin*, fit for files and shared stores."""
    return hashlib.sha256(f"{origin}\0{name}".encode()).hexdigest()[:40]


def resolve_credentials(
    token: str | None,
    username: str | None,
    password: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Credentials:
    """Return the credentials in the arguments, or else in the environment.

    Args:
        token: API token.
        username: User name for HTTP Basic.
        password: Password for HTTP Basic.
        environment: Where ``METRON_TOKEN``, ``METRON_TOKEN_FILE``, or ``METRON_USERNAME`` and
            ``METRON_PASSWORD``, are looked up in this order if no argument is given.

    Raises:
        ConfigurationError: If there are none, half of them, or two kinds at once.
    """
    names = ("username", "password")
    if token is None and username is None and password is None:
        names = (_USERNAME, _PASSWORD)
        token = environment.get(_TOKEN) or _read(environment.get(_TOKEN_FILE))
        if token is None:
            username = environment.get(_USERNAME) or None
            password = environment.get(_PASSWORD) or None
    if token is not None and (username is not None or password is not None):
        msg = "Pass either a token, or a username and a password, not both"
        raise ConfigurationError(msg)
    if token is not None:
        return Credentials(token=_checked("token", token))
    if username is None and password is None:
        msg = (
            f"No credentials: set {_TOKEN} (or {_TOKEN_FILE}, or {_USERNAME} and {_PASSWORD}) in"
            " the environment, or pass token=... (or username=... and password=...)"
        )
        raise ConfigurationError(msg)
    if username is None or password is None:
        found, missing = names if password is None else names[::-1]
        msg = f"{found} is set but {missing} is not. Set both, or a token"
        raise ConfigurationError(msg)
    username, password = _checked("username", username), _checked("password", password)
    if ":" in username:
        msg = "The username must not contain a colon in HTTP Basic authentication"
        raise ConfigurationError(msg)
    return Credentials(username=username, password=password)


def _read(path: str | None) -> str | None:
    """Return what the file that ``METRON_TOKEN_FILE`` names contains, or ``None`` without one."""
    if not path:
        return None
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        msg = f"{_TOKEN_FILE} names a file that cannot be read: {type(error).__name__}"
        raise ConfigurationError(msg) from None
    return content.decode("latin-1")


def _checked(name: str, value: object) -> str:
    """Return *value* if it can be sent in a header; a message never repeats it.

    A line break at the end comes with many ways to read a secret from a file, and is dropped.
    """
    if not isinstance(value, str):
        msg = f"The {name} must be a string, got {type(value).__name__}"
        raise ConfigurationError(msg)
    value = value.strip() if name == "token" else value.rstrip("\r\n")
    if not value.strip():
        msg = f"The {name} is empty"
        raise ConfigurationError(msg)
    sendable = value.isascii() if name == "token" else _encodable(value)
    if not sendable or not len(value) < _LONGEST or _CONTROLS & set(value):
        msg = f"The {name} contains a character that cannot be sent, or is too long"
        raise ConfigurationError(msg)
    if name == "token" and any(char.isspace() for char in value):
        msg = "The token contains a space. Pass it alone, without the word Bearer"
        raise ConfigurationError(msg)
    return value


def _encodable(text: str) -> bool:
    """Return whether *text* is without lone surrogates, as the environment can contain them."""
    return not any("\ud800" <= char <= "\udfff" for char in text)
