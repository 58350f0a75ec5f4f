"""The environment of the process: proxies, certificates, and whether it is a container.

The client talks to one server, so the environment's proxy settings come down to one proxy, or
none. They are read here and not by httpx, which fails on many of them with errors of all kinds,
and only at the first call.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["check_environment", "is_container", "proxy_for"]

_PROXY_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
_CONTAINERS = ("container", "ECS_CONTAINER_METADATA_URI_V4", "FLY_ALLOC_ID", "DYNO", "K_SERVICE")


def is_container() -> bool:
    """Return whether this process runs in a container, as far as can be known."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
    if "KUBERNETES_SERVICE_HOST" in os.environ or any(mark.exists() for mark in marks):
        return True
    return any(variable in os.environ for variable in _CONTAINERS)


def check_environment(url: str) -> None:
    """Check the environment's proxy and certificates for connections to *url*.

    Raises:
        ConfigurationError: If they cannot be used; the message names the variable.
    """
    if not url.startswith("https:"):
        return
    proxy_for(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if bundle := os.environ.get("SSL_CERT_FILE"):
        with _named("SSL_CERT_FILE does not name a readable file with certificates"):
            context.load_verify_locations(bundle)
    if log := os.environ.get("SSLKEYLOGFILE"):
        with _named("SSLKEYLOGFILE does not name a file that can be written"):
            context.keylog_filename = log


@contextlib.contextmanager
def _named(fault: str) -> Generator[None]:
    """Turn a failure of :mod:`ssl` into an error that says which variable is at fault."""
    try:
        yield
    except (OSError, ValueError) as error:
        msg = f"{fault}: {type(error).__name__}. Correct or unset it"
        raise ConfigurationError(msg) from error


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy to use for *url*, which is an https URL, or ``None``.

    Raises:
        ConfigurationError: If the proxy cannot be used; the message names the variable.
    """
    named = any(name.lower().endswith("_proxy") for name in os.environ)
    if not named and sys.platform not in {"darwin", "win32"}:  # which have settings of their own
        return None
    # These take a while to load, and few programs need them.
    import urllib.request  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    proxies = urllib.request.getproxies()
    name = "https" if proxies.get("https") else "all"
    proxy = proxies.get(name)
    if not proxy or urllib.request.proxy_bypass(urlsplit(url).netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    variable = f"{name.upper()}_PROXY"
    try:
        parts = urlsplit(proxy)
        valid = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
        httpx.URL(proxy)
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        msg = (
            f"{variable} is not the URL of a proxy that can be used; expected"
            " http://, https:// or socks5://host:port. Correct it, or add the server to NO_PROXY"
        )
        raise ConfigurationError(msg)
    if proxy.startswith("socks") and importlib.util.find_spec("socksio") is None:
        msg = (
            f"{variable} names a SOCKS proxy, which needs the package socksio."
            " Install it with: pip install 'httpx[socks]'"
        )
        raise ConfigurationError(msg)
    return proxy
