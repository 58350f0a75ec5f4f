"""Plugin of pytest: fixtures with a fake server, and no shared state in the user's own files.

pytest loads it where this package is installed. It sets ``METRON_ASYNC_STORAGE`` to ``:memory:``
for the test run, unless the variable is set: quota and cached responses of a test must not meet
those of the user's programs. Nothing else is loaded before a fixture is used.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from metron_async.testing.fake import FakeMetron

__all__ = ["fake_metron", "fake_metron_options", "fake_metron_url"]

_STORAGE = "METRON_ASYNC_STORAGE"
_REPLACED = pytest.StashKey[bool]()

_TIMEOUT = 10.0


def pytest_configure(config: pytest.Config) -> None:
    """Keep the state of clients in memory during the test run."""
    config.stash[_REPLACED] = _STORAGE not in os.environ
    os.environ.setdefault(_STORAGE, ":memory:")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Restore the environment."""
    if config.stash.get(_REPLACED, False):
        os.environ.pop(_STORAGE, None)


@pytest.fixture
def fake_metron_options() -> dict[str, Any]:
    """Return the arguments of :class:`FakeMetron`; override it for another server."""
    return {}


@pytest.fixture
def fake_metron(fake_metron_options: dict[str, Any]) -> FakeMetron:
    """Return a new fake server, for its ``transport()`` or for ``fake_metron_url``."""
    from metron_async.testing.fake import FakeMetron  # noqa: PLC0415 - loaded where it is used

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
