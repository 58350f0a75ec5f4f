"""Keys of responses in the cache.

Two requests share a key only if their responses must be the same: same account, origin, path, query
and language. Spelling does not matter (``%7E`` and ``~``, the order of parameters, ``HTTP://`` and
a default port). Repeated parameters do. The parts are encoded as one JSON string before hashing, so
different parts never give the same string.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PENDING", "account_name", "canonical_text", "make_key", "normalise_origin"]

PENDING = "pending-"
"""Prefix of an account's name for as long as the cache cannot know the real one."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
_DEFAULT_PORTS = {"http": 80, "https": 443}


def account_name(secret: bytes, identity: str) -> str:
    """Return the name under which the entries of one account are kept.

    Args:
        secret: The installation's secret. Without it a guess cannot be tested.
        identity: Identity of the account: a user name or a token.

    Returns:
        32 hexadecimal digits, from which *identity* cannot be found.
    """
    text = b"metron_async account\0" + identity.encode("utf-8", "surrogatepass")
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:32]


@functools.lru_cache(maxsize=64)  # a client has one
def normalise_origin(url: str) -> str:
    """Return scheme, host and port of *url* in one spelling, without user and path."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    if port is None or port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{port}"


def canonical_text(
    *, account: str, origin: str, path: str, query: Iterable[tuple[str, str]], language: str
) -> str:
    """Return the string that a key hashes: equal for equal requests, and only for those."""
    path, _, inline = path.partition("?")
    pairs = list(query)
    segments = path.split("/")
    # Undecodable bytes become lone surrogates: still different strings for different bytes.
    if inline:
        pairs += parse_qsl(inline, keep_blank_values=True, errors="surrogateescape")
    if "%" in path:
        segments = [unquote(segment, errors="surrogateescape") for segment in segments]
    pairs.sort()
    return _encode([account, normalise_origin(origin), segments, pairs, language.strip().lower()])


@functools.lru_cache(maxsize=1024)  # the same questions come again and again
def make_key(
    *,
    account: str,
    origin: str,
    path: str,
    query: tuple[tuple[str, str], ...] = (),
    language: str = "en",
) -> str:
    """Return the cache key of one GET.

    Args:
        account: From :func:`account_name`.
        origin: The server, such as ``"https://metron.cloud"``, or any URL on it.
        path: Path as sent, which may carry a query of its own (a ``next`` link does).
        query: Decoded parameters, in any order.
        language: Value of ``Accept-Language``.

    Returns:
        40 hexadecimal digits.

    Example:
        >>> a = make_key(account="a", origin="https://x", path="/api/issue/?page=2&cover_year=2026")
        >>> b = make_key(account="a", origin="https://X:443", path="/api/issue/",
        ...              query=(("cover_year", "2026"), ("page", "2")))
        >>> a == b
        True
    """
    text = canonical_text(account=account, origin=origin, path=path, query=query, language=language)
    return hashlib.blake2b(text.encode("ascii"), digest_size=20).hexdigest()
