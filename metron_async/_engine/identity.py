"""How the client introduces itself, and where it goes: ``User-Agent`` and ``base_url``.

The server's firewall bans for a missing User-Agent, and for some known ones, by address and for
up to a day. So ours always comes first, the application's is appended, and one that the firewall
is known to deny is refused when the client is built rather than found out about later.
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
"""Texts that the server's proxies are known to deny in a User-Agent."""

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
        msg = "The user_agent is empty or no text; leave it out, or name your application"
        raise ConfigurationError(msg)
    if not application.isascii() or not application.isprintable():
        msg = "The user_agent holds a character that cannot be sent in a header"
        raise ConfigurationError(msg)
    folded = application.casefold()
    for denied in DENIED_AGENTS:
        if denied.casefold() in folded:
            msg = f"The server's firewall bans a User-Agent with {denied!r} in it"
            raise ConfigurationError(msg)
    return f"{ours} {application.strip()}"


def api_root_of(base_url: str) -> str:
    """Return the API's root below *base_url*, ending with a slash.

    Host and port come out in one spelling, since quota and cache are kept by them. What is wrong
    is never quoted: a slip in a URL with credentials can put them anywhere.

    Raises:
        ConfigurationError: If the URL holds credentials, a query or no host, or would carry the
            credentials over plain http to another machine.
    """
    if not isinstance(base_url, str) or not base_url.isascii() or _UNFIT & set(base_url):
        msg = "base_url must be a text of plain ASCII, without spaces"
        raise ConfigurationError(msg)
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        msg = "base_url is not a URL: its host or port makes no sense"
        raise ConfigurationError(msg) from None
    if parts.scheme not in {"http", "https"} or not host:
        msg = "base_url must be an absolute https URL, such as https://metron.cloud"
        raise ConfigurationError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "base_url must not hold credentials; pass them as arguments"
        raise ConfigurationError(msg)
    if parts.query or parts.fragment:
        msg = "base_url must not hold a query or a fragment"
        raise ConfigurationError(msg)
    if parts.scheme == "http" and not _is_loopback(host):
        msg = f"Plain http would show the credentials on the way to {host}; use https"
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
