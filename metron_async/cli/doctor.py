"""The command ``doctor``: why calls succeed or fail here. Shows no secret."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sqlite3
import ssl
import urllib.request
from typing import TYPE_CHECKING, Any

from metron_async._version import __version__
from metron_async.cli.caching import cache_facts, size_text
from metron_async.cli.exits import exit_code
from metron_async.cli.output import duration, print_json, print_line
from metron_async.errors import (
    BlockedError,
    MetronError,
    RateLimitError,
    RequestTimeoutError,
    StatusError,
    TransportError,
)
from metron_async.storage.files import default_directory

if TYPE_CHECKING:
    import argparse

    from metron_async.admission import WindowState
    from metron_async.client import AsyncMetron

__all__ = ["doctor"]

_LIBRARIES = ("httpx", "msgspec", "aiosqlite", "redis", "rich")


async def doctor(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Make one request, and show what it says about account, network and limits."""
    error: MetronError | None = None
    user: str | None = None
    try:
        # The one list whose rows name the account, and nothing else does.
        item = await metron.with_options(refresh=True, retries=0).collection.iter().first()
        user = None if item is None else item.user.username
    except MetronError as caught:
        error = caught
    quota = await metron.quota()
    facts: dict[str, dict[str, Any]] = {
        "request": {"result": "responded" if error is None else " ".join(str(error).split())},
        "address": {"state": _address(error)},
        "account": {"credentials": _credentials(options), "user": user or "not known"},
        "minute": _window(quota.burst),
        "day": _window(quota.sustained),
        "storage": _storage(options),
        "cache": {} if metron.cache is None else await cache_facts(metron.cache),
        "network": _network(options),
        "versions": _versions(),
    }
    if options.json:
        print_json(facts)
    else:
        for section, values in facts.items():
            _print_section(section, values)
    return 0 if error is None else exit_code(error)


def _print_section(section: str, values: dict[str, Any]) -> None:
    for name, value in (values or {"state": "none"}).items():
        shown = value
        if name == "bytes":
            name, shown = "size", size_text(value)  # noqa: PLW2901
        elif name == "next_slot_in":
            shown = duration(value)
        label = name if section == "versions" else name.replace("_", " ")
        print_line(f"{section + ':':10} {label + ':':14} {shown}")


def _address(error: MetronError | None) -> str:
    """Return what the request says about this machine's network address."""
    if isinstance(error, BlockedError):
        wait = duration(error.retry_after)
        return f"requests are blocked locally to avoid a ban: {error.reason}; retry in {wait}"
    if isinstance(error, RequestTimeoutError):
        if error.outcome_unknown:
            return "not known: no response in time"
        return "no connection: network or proxy down, or banned by the server's firewall"
    if isinstance(error, TransportError):
        return "not tested: the server was not reached"
    if error is None or (isinstance(error, StatusError) and error.status is not None):
        return "not banned: the server responds"
    refused = isinstance(error, RateLimitError)
    return "not tested: the quota does not allow a request now" if refused else "not known"


def _credentials(options: argparse.Namespace) -> str:
    if options.demo:
        return "those of the demo"
    for name in ("METRON_TOKEN", "METRON_TOKEN_FILE"):
        if os.environ.get(name):
            return f"token from {name}"
    return f"user name and password of {os.environ.get('METRON_USERNAME', '')}"


def _window(window: WindowState) -> dict[str, Any]:
    facts: dict[str, Any] = {"left": window.remaining, "limit": window.limit}
    if not window.known:
        facts["note"] = "a guess: the server has not said yet"
    return {**facts, "next_slot_in": round(window.resets_in)} if window.resets_in > 0 else facts


def _storage(options: argparse.Namespace) -> dict[str, Any]:
    named = os.environ.get("METRON_ASYNC_STORAGE", "").strip()
    place = options.storage or named or str(default_directory())
    if options.demo:
        place = ":memory:"
    if not os.path.isdir(place):  # noqa: PTH112 - it may be a URL
        return {"place": _without_secret(place)}
    with os.scandir(place) as entries:
        return {"place": place, "bytes": sum(e.stat().st_size for e in entries if e.is_file())}


def _network(options: argparse.Namespace) -> dict[str, Any]:
    server = options.base_url or os.environ.get("METRON_BASE_URL") or "https://metron.cloud"
    proxies = {
        scheme: _without_secret(url)
        for scheme, url in urllib.request.getproxies().items()
        if scheme != "no"
    }
    paths = ssl.get_default_verify_paths()
    given = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    return {
        "server": "in this process" if options.demo else _without_secret(server),
        "proxies": ", ".join(f"{k} {v}" for k, v in sorted(proxies.items())) or "none",
        "certificates": given or _bundle() or paths.cafile or paths.capath or "the system's",
    }


def _bundle() -> str | None:
    """Return the bundle of certificates that httpx uses by default."""
    try:
        import certifi  # noqa: PLC0415 - httpx brings it
    except ImportError:
        return None
    return certifi.where()


def _versions() -> dict[str, str]:
    found = {"metron_async": __version__, "Python": platform.python_version()}
    found |= {"system": platform.platform(), "OpenSSL": ssl.OPENSSL_VERSION}
    found["SQLite"] = sqlite3.sqlite_version
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _without_secret(url: str) -> str:
    """Return *url* without user name, password and query."""
    return re.sub(r"//[^/?#]*@", "//", url).partition("?")[0]
