"""Fixtures with a fake server, for the tests of programs that use Metron.

In a ``conftest.py``::

    pytest_plugins = ["metron_async.testing.pytest_plugin"]
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from metron_async.testing.fake import FakeMetron

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["fake_metron", "fake_metron_options", "fake_metron_url"]

_TIMEOUT = 10.0


@pytest.fixture
def fake_metron_options() -> dict[str, Any]:
    """Return the arguments of :class:`FakeMetron`; override it for another server."""
    return {}


@pytest.fixture
def fake_metron(fake_metron_options: dict[str, Any]) -> FakeMetron:
    """Return a new fake server, for its ``transport()`` or for ``fake_metron_url``."""
    return FakeMetron(**fake_metron_options)


@pytest.fixture
def fake_metron_url(fake_metron: FakeMetron) -> Generator[str]:
    """Return the URL of the fake server on a local socket.

    It runs in a thread with an event loop of its own. So tests may be synchronous, or use any
    plugin for asynchronous tests.
    """
    served = _Served(fake_metron)
    thread = threading.Thread(target=served.run, name="fake-metron", daemon=True)
    thread.start()
    try:
        yield served.wait()
    finally:
        served.stop()
        thread.join(_TIMEOUT)


class _Served:
    """A fake server in another thread."""

    def __init__(self, fake: FakeMetron) -> None:
        self._fake = fake
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._url = ""
        self._error: BaseException | None = None

    def run(self) -> None:
        """Serve until ``stop``, in the thread."""
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._fake.serve() as self._url:
            self._ready.set()
            await self._over.wait()

    def wait(self) -> str:
        """Wait until the server listens, and return its URL."""
        self._ready.wait(_TIMEOUT)
        if self._error is not None:
            raise self._error
        return self._url

    def stop(self) -> None:
        """Stop ``run``."""
        if self._loop is not None and self._over is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._over.set)
