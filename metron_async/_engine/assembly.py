"""Puts a client together from what its user handed in: checks first, then parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._engine.core import Core, Settings
from metron_async._engine.credentials import resolve_credentials, scoped_key
from metron_async._engine.identity import api_root_of, origin_of_url
from metron_async._engine.identity import user_agent as make_user_agent
from metron_async._engine.parts import choose_parts
from metron_async._engine.transport import Transport, leads_elsewhere
from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    import os

    from metron_async._engine.options import Default
    from metron_async._engine.transport import HTTPClient, HTTPTransport
    from metron_async.cache import Cache
    from metron_async.quota import QuotaStore

__all__ = ["assemble"]


def assemble(
    *,
    token: str | None,
    username: str | None,
    password: str | None,
    account: str | None,
    base_url: str,
    user_agent: str | None,
    transport: HTTPTransport | None,
    http_client: HTTPClient | None,
    cache: Cache | str | os.PathLike[str] | Default | None,
    quota: QuotaStore | None,
    max_in_flight: int,
) -> Core:
    """Return the core of a client; see :class:`metron_async.AsyncMetron` for the arguments.

    Raises:
        ConfigurationError: If any of them cannot be used as it is.
    """
    credentials = resolve_credentials(token, username, password)
    api_root = api_root_of(base_url)
    origin = origin_of_url(api_root)
    agent = make_user_agent(user_agent)
    in_memory = leads_elsewhere(transport, http_client)
    if type(max_in_flight) is not int or max_in_flight < 1:
        msg = f"max_in_flight must be a whole number from 1, got {max_in_flight!r}"
        raise ConfigurationError(msg)
    parts = choose_parts(cache, quota, in_memory=in_memory)

    def connect() -> Transport:  # a closure: the repr of a partial would tell the secret
        return Transport.opened(
            http_client,
            transport,
            api_root=api_root,
            authorization=credentials.header,
            agent=agent,
        )

    settings = Settings(
        connect=connect,
        api_root=api_root,
        origin=origin,
        quota_key=scoped_key(origin, credentials.account_name(account)),
        latch_key=scoped_key(origin, credentials.latch_name),
        cache_name=credentials.cache_name,
        cache=parts.cache,
        quota=parts.quota,
        guards=parts.guards,
        owned=tuple(parts.owned),
        max_in_flight=max_in_flight,
    )
    return Core(settings)
