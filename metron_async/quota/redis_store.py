"""Quota state in Redis, shared by all hosts that reach it.

The decision runs in Redis, as one Lua script, by the server's clock. (``pip install
"metron-async[redis]"``.) A state that nobody used for longer than the longest window expires.
"""

from __future__ import annotations

import asyncio
from importlib import resources
from typing import TYPE_CHECKING, cast

import msgspec
import redis.asyncio
import redis.exceptions

from metron_async.errors import QuotaStoreError
from metron_async.quota.state import Reply
from metron_async.quota.store import DEFAULT_RULES, stored_name

if TYPE_CHECKING:
    from metron_async.quota.state import Command, Rules

__all__ = ["RedisStore"]

_SCRIPT = resources.files("metron_async.quota").joinpath("quota.lua").read_text("utf-8")
_PATIENCE = 5.0  # seconds for one command, reconnections included
_SPARE = 3600.0  # seconds that a state is kept longer than it can matter

_encoder = msgspec.msgpack.Encoder()
_reply_decoder = msgspec.msgpack.Decoder(Reply)


class RedisStore:
    """Quota state in Redis.

    Args:
        client: A ``redis.asyncio.Redis``, which is never closed here and must not decode
            responses; or the URL of a server.
        prefix: What the names of the keys begin with.
        rules: What is known of the windows before the first response.

    Example:
        >>> quota = RedisStore("redis://localhost:6379/0")
        >>> async with AsyncMetron(token="...", quota=quota) as metron: ...
    """

    def __init__(
        self,
        client: redis.asyncio.Redis | str,
        *,
        prefix: str = "metron_async:quota:",
        rules: Rules = DEFAULT_RULES,
    ) -> None:
        self.rules = rules
        self._own = isinstance(client, str)
        self._client = (
            redis.asyncio.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
                client, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
            )
            if isinstance(client, str)
            else client
        )
        self._prefix = prefix
        self._rules = _encoder.encode(rules)
        day = rules.sustained
        self._expiry = int((day.period + day.margin + day.grain + _SPARE) * 1000)
        self._script = self._client.register_script(_SCRIPT)

    async def apply(self, account: str, command: Command) -> Reply:
        """Carry out *command* on the state of *account*, atomically.

        Raises:
            QuotaStoreError: If Redis cannot be reached or used within a few seconds.
        """
        name = stored_name(account)
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._script(
                    keys=[self._prefix + name],
                    args=[_encoder.encode(command), self._rules, self._expiry],
                )
            return _reply_decoder.decode(cast("bytes", answer))
        except (redis.exceptions.RedisError, OSError, msgspec.MsgspecError) as error:
            # No URL in the message: it may hold a password. (A timeout is an OSError too.)
            msg = f"the quota in Redis cannot be used: {type(error).__name__}"
            raise QuotaStoreError(msg) from error

    async def aclose(self) -> None:
        """Close the connections, if they were opened for a URL."""
        if self._own:
            await self._client.aclose()
