"""The ``User-Agent`` header and the API's root, from ``user_agent`` and ``base_url``.

The server's firewall bans for a missing User-Agent, and for some known ones, by address and for
up to a day. So ours always comes first, the application's is appended, and one that the firewall
is known to deny is refused when the client is built.
"""

from __future__ import annotations

import ipaddress
import platform
from urllib.parse import urlsplit

from metron_async._version import __version__
from metron_async.cache import normalise_origin
from metron_async.errors import ConfigurationError

__all__ = ["DENIED_AGENTS", "api_root_of", "origin_of_url", "user_agent"]

DENIED_AGENTS = (
    "comictagger",
    "SpinnerRack",
    "ClickWhir",
    "cards_analize-local-comics-catalog",
    "cataloggd",
    "ComicVault/1.0",
    "CloneVine-Metron/1.0",
    "comic-metadata-client/1.0",
    "LinkupBot",
    "f-read-metron-dump",
    "ComicShelf-Server",
    "Variant/1.0",
)
"""Strings that the server's proxies are known to deny in a User-Agent."""

_UNFIT = frozenset(map(chr, [*range(33), 127, *b'"<>\\^`{|}']))


def user_agent(application: str | None) -> str:
    """Return the ``User-Agent`` header: ours, then *application*'s.

    Args:
        application: What to append, such as ``"my-bot/2.1 (me@example.org)"``.

    Raises:
        ConfigurationError: If it is empty, cannot be sent, or is one that the server denies.
    """
    ours = f"metron_async/{__version__} (Python {platform.python_version()})"
    if application is None:
        return ours
    if not isinstance(application, str) or not application.strip():
        msg = "user_agent must be a string that names your application, or None"
        raise ConfigurationError(msg)
    if not application.isascii() or not application.isprintable():
        msg = "user_agent must be a printable ASCII string"
        raise ConfigurationError(msg)
    folded = application.casefold()
    for denied in DENIED_AGENTS:
        if denied.casefold() in folded:
            msg = f"user_agent contains {denied!r}, which the server's firewall bans. Change it"
            raise ConfigurationError(msg)
    return f"{ours} {application.strip()}"


def api_root_of(base_url: str, *, allow_plain_http: bool = False) -> str:
    """Return the API's root below *base_url*, ending with a slash.

    Host and port come out in one spelling, since quota and cache are kept by them. An invalid URL
    is never quoted: it may hold credentials anywhere.

    Args:
        base_url: URL of the server, with or without the path ``/api``.
        allow_plain_http: Whether plain http may lead to another machine.

    Raises:
        ConfigurationError: If the URL holds credentials, a query or no host, or would carry the
            credentials over plain http to another machine.
    """
    if not isinstance(base_url, str) or not base_url.isascii() or _UNFIT & set(base_url):
        msg = "base_url must be an ASCII string without spaces"
        raise ConfigurationError(msg)
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        msg = "base_url has an invalid host or port"
        raise ConfigurationError(msg) from None
    if parts.scheme not in {"http", "https"} or not host:
        msg = "base_url must be an absolute https URL, such as https://metron.cloud"
        raise ConfigurationError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "base_url must not contain credentials. Pass them as arguments"
        raise ConfigurationError(msg)
    if parts.query or parts.fragment:
        msg = "base_url must not contain a query or a fragment"
        raise ConfigurationError(msg)
    if not isinstance(allow_plain_http, bool):
        msg = f"allow_plain_http must be True or False, got {type(allow_plain_http).__name__}"
        raise ConfigurationError(msg)
    if parts.scheme == "http" and not allow_plain_http and not _is_loopback(host):
        msg = (
            f"Plain http would show the credentials on the way to {host}. Use https, or pass"
            " allow_plain_http=True in a network that you trust"
        )
        raise ConfigurationError(msg)
    path = parts.path.rstrip("/")
    path = path if path.endswith("/api") else f"{path}/api"
    return f"{normalise_origin(base_url)}{path}/"


def origin_of_url(url: str) -> str:
    """Return scheme, host and port of *url*."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
