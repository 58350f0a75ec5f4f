"""Filters that keep other libraries from logging what this package does through them.

The levels of other libraries' loggers belong to the application, and their other records are not
touched. A record is ours if it is logged while one of our requests is being sent, or in the thread
of one of our SQLite connections. Such a record is dropped, unless the application has set a level
for that library: it then sees what it asked for.

HPACK, the header compression of HTTP/2, logs each header that it encodes. Some releases log
the credentials as they are, others only the encoded block, which can be decoded. Its records of
our requests are dropped in any case.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["hide_noise", "mark_thread", "own_request"]

_sending: ContextVar[bool] = ContextVar("metron_async_sending", default=False)
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


class _NoiseFilter(logging.Filter):
    """Drops records that this package causes.

    Args:
        is_own: Returns whether the code that logs runs for this package.
        below: Level from which records are kept.
        heeds_level: Whether all records are kept if the application has set the library's level.
    """

    def __init__(self, is_own: Callable[[], bool], below: int, *, heeds_level: bool) -> None:
        super().__init__()
        self._is_own = is_own
        self._below = below
        self._heeds_level = heeds_level

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether *record* is logged."""
        if record.levelno >= self._below or not self._is_own():
            return True
        return self._heeds_level and _has_level(record.name)


def _has_level(name: str) -> bool:
    """Return whether the application has set the level of the logger *name* or of a parent."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None and logger is not logging.root:
        if logger.level != logging.NOTSET:
            return True
        logger = logger.parent
    return False


def _in_own_thread() -> bool:
    return threading.current_thread() in _threads


_EVERY_LEVEL = logging.CRITICAL + 1
_HTTP = _NoiseFilter(_sending.get, logging.WARNING, heeds_level=True)
_HEADERS = _NoiseFilter(_sending.get, _EVERY_LEVEL, heeds_level=False)
_DATABASE = _NoiseFilter(_in_own_thread, logging.INFO, heeds_level=True)

# A filter works on its own logger only, and not on those below it, so that each one is named.
_FILTERS = {
    "httpx": _HTTP,
    "httpcore": _HTTP,
    "httpcore.connection": _HTTP,
    "httpcore.http11": _HTTP,
    "httpcore.http2": _HTTP,
    "httpcore.proxy": _HTTP,
    "httpcore.socks": _HTTP,
    "h2": _HEADERS,
    "hpack": _HEADERS,
    "hpack.hpack": _HEADERS,
    "hpack.table": _HEADERS,
    "aiosqlite": _DATABASE,
}


def hide_noise() -> None:
    """Install the filters. Calling it again adds those for loggers that are new."""
    for name, noise in _FILTERS.items():
        logging.getLogger(name).addFilter(noise)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        package = name.partition(".")[0]
        if package in _FILTERS and isinstance(logger, logging.Logger):
            logger.addFilter(_FILTERS[package])


@contextlib.contextmanager
def own_request() -> Generator[None]:
    """Mark what is logged inside, by this task, as caused by one of our requests."""
    token = _sending.set(True)
    try:
        yield
    finally:
        _sending.reset(token)


def mark_thread(thread: threading.Thread) -> None:
    """Mark what *thread* logs as caused by this package."""
    _threads.add(thread)
