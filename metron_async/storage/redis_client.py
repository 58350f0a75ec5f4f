"""Clients of Redis: loaded when they are used, and checked."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from redis.asyncio import Redis

__all__ = ["checked_client", "load_redis"]


def load_redis(user: str) -> ModuleType:
    """Return the module of the Redis client.

    Args:
        user: Name of the class that needs it, for the message.

    Raises:
        ConfigurationError: If the extra ``redis`` is not installed.
    """
    try:
        redis = import_module("redis")
        import_module("redis.asyncio")
    except ImportError as error:
        msg = f'{user} needs the extra "redis": pip install "metron-async[redis]"'
        raise ConfigurationError(msg) from error
    return redis


def checked_client(
    server: Redis | str, user: str, make: Callable[[ModuleType, str], Redis]
) -> Redis:
    """Return a client that can be used here: the one that was passed in, or a new one.

    Args:
        server: A client, or the URL of a server.
        user: Name of the class that needs it, for messages.
        make: Makes a client from the library's module and a URL.

    Raises:
        ConfigurationError: If the extra ``redis`` is not installed, or *server* is invalid.
    """
    redis = load_redis(user)
    if isinstance(server, str):
        try:
            server = make(redis, server)
            pool = server.connection_pool
            pool.connection_class(**pool.connection_kwargs)  # so that its options are checked now
        except (ValueError, TypeError, redis.RedisError):
            msg = "Invalid URL of a Redis server: expected redis://host:port/database"
            raise ConfigurationError(msg) from None  # the original quotes parts of the URL
    elif not isinstance(server, redis.asyncio.Redis):
        msg = f"Invalid Redis client of type {type(server).__name__}: expected redis.asyncio.Redis"
        raise ConfigurationError(msg)
    if server.connection_pool.connection_kwargs.get("decode_responses"):
        msg = "Invalid Redis client: it decodes responses, expected decode_responses=False"
        raise ConfigurationError(msg)
    return server
