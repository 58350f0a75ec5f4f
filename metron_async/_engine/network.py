"""How connections are made, and which transports lead to a network."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from metron_async._engine.environment import check_environment, proxy_for
from metron_async._engine.httpx2 import Httpx2Transport
from metron_async.errors import ConfigurationError

__all__ = [
    "check_transport",
    "is_network_transport",
    "is_patched",
    "open_client",
    "proxy_of",
]

_MOCKING = frozenset({"respx", "pytest_httpx", "vcr"})
_DEPTH = 8  # wrappers around wrappers


def check_transport(transport: object, http_client: object) -> None:
    """Check the types of the constructor's ``transport`` and ``http_client``.

    Raises:
        ConfigurationError: If both are given, or one has the wrong type.
    """
    if transport is not None and http_client is not None:
        msg = "transport and http_client are mutually exclusive. Pass only one of them"
        raise ConfigurationError(msg)
    for name, value, kind in (
        ("transport", transport, httpx.AsyncBaseTransport),
        ("http_client", http_client, httpx.AsyncClient),
    ):
        if value is not None and not isinstance(value, kind):
            msg = f"{name} must be an httpx.{kind.__name__}, got {type(value).__name__}"
            raise ConfigurationError(msg)


def is_network_transport(
    transport: httpx.AsyncBaseTransport | None, http_client: httpx.AsyncClient | None, url: str
) -> bool:
    """Return whether requests to *url* leave this process, as far as can be known.

    Transports that only answer in process are known by their types; so are libraries that patch
    httpx for tests. A wrapper is looked through. Any other transport counts as one that leads to
    a network: to lose the shared state in production is worse than to keep a test's state.

    Args:
        transport: The constructor's ``transport``.
        http_client: The constructor's ``http_client``; its ``mounts`` are respected.
        url: Root of the API.
    """
    if http_client is not None:
        find: Any = getattr(http_client, "_transport_for_url", None)  # private: no other way
        transport = find(httpx.URL(url)) if find is not None else None
    if is_patched():
        return False
    if isinstance(transport, Httpx2Transport):
        return not transport.is_in_process(url)
    return transport is None or not _is_mock(transport, _DEPTH)


def _is_mock(transport: httpx.AsyncBaseTransport, depth: int) -> bool:
    kinds = (httpx.MockTransport, httpx.ASGITransport, httpx.WSGITransport)
    package = type(transport).__module__.partition(".")[0]
    if isinstance(transport, kinds) or package in {"metron_async", *_MOCKING}:
        return True
    if isinstance(transport, httpx.AsyncHTTPTransport) or depth == 0:
        return False
    held = getattr(transport, "__dict__", {}).values()
    inner = [value for value in held if isinstance(value, httpx.AsyncBaseTransport)]
    return bool(inner) and all(_is_mock(value, depth - 1) for value in inner)


def is_patched() -> bool:
    """Return whether a library for tests answers in place of httpx's own network transport."""
    import httpcore  # noqa: PLC0415 - httpx has loaded it

    functions: tuple[Any, ...] = (
        httpx.AsyncHTTPTransport.handle_async_request,
        vars(httpx.AsyncClient).get("_send_single_request"),
        httpcore.AsyncConnectionPool.handle_async_request,
    )
    homes = (getattr(function, "__globals__", {}).get("__name__", "") for function in functions)
    return any(home.partition(".")[0] in _MOCKING for home in homes)


def proxy_of(client: httpx.AsyncClient, url: str) -> str | None:
    """Return host and port of the proxy through which *client* reaches *url*, if there is one."""
    find: Any = getattr(client, "_transport_for_url", None)  # private: no other way
    pool = getattr(find(httpx.URL(url)) if find is not None else None, "_pool", None)
    proxy: Any = getattr(pool, "_proxy_url", None)
    return None if proxy is None else f"{proxy.host.decode('ascii')}:{proxy.port}"


def open_client(transport: httpx.AsyncBaseTransport | None, url: str) -> httpx.AsyncClient:
    """Return a client for requests to *url*, over *transport* or the network.

    Plain http is sent without a proxy, which could read the credentials. Through a proxy for
    https goes a tunnel that it cannot see into.

    Raises:
        ConfigurationError: If the environment's settings cannot be used.
    """
    how: dict[str, Any] = {"transport": transport}
    if transport is None:
        how["verify"] = False  # plain http has no certificates, which take a while to load
    if transport is None and url.startswith("https:"):
        check_environment(url)
        how["proxy"] = proxy_for(url)
        how["verify"] = httpx.create_ssl_context()
    refusing = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(cookies=refusing, trust_env=False, **how)
