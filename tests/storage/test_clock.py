"""The machine's clock, and the lock on Windows."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import time
import types

import pytest

from metron_async.storage import clock, locks
from metron_async.storage.clock import Anchor, Instant, MachineClock, read_clock, steady


def test_time_runs_forward():
    before, after = read_clock(), read_clock()
    assert before.boot == after.boot
    assert before.steady <= after.steady <= steady()
    assert abs(before.wall - time.time()) < 60


def test_a_platform_without_such_clocks(monkeypatch):
    monkeypatch.setattr(clock, "_STEADY", None)
    monkeypatch.setattr(clock, "_boot_id", lambda: None)
    assert abs(steady() - time.monotonic()) < 60
    assert read_clock().boot.startswith("since ")


def test_a_platform_without_proc(monkeypatch):
    def refuse(*_args):
        raise OSError

    monkeypatch.setattr(pathlib.Path, "read_text", refuse)
    assert clock._boot_id.__wrapped__() is None


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -1.0, 1e12])
def test_an_anchor_that_makes_no_sense(now):
    here = Instant("boot", 10.0, 1e9)
    machine = MachineClock(lambda: here, lambda: here.steady)
    assert machine.adopt(Anchor(here, now), 0.0) == Anchor(here, 1e9)


def test_the_newest_state_is_never_in_the_future():
    here = Instant("second", 10.0, 1e9)
    machine = MachineClock(lambda: here, lambda: here.steady)
    saved = Anchor(Instant("first", 99.0, 2e9), 5e8)
    assert machine.adopt(saved, 5e8 + 7) == Anchor(here, 5e8 + 7)
    assert machine.adopt(saved, 1e300) == Anchor(here, 5e8)
    assert machine.now() == 5e8


def test_a_machine_whose_steady_clock_went_back():
    """A virtual machine that was set back to a snapshot."""
    here = Instant("boot", 10.0, 1e9 + 60)
    machine = MachineClock(lambda: here, lambda: here.steady)
    assert machine.adopt(Anchor(Instant("boot", 99.0, 1e9), 1e9), 1e9 + 5).now == 1e9 + 60


def test_windows(monkeypatch, tmp_path):
    calls = []

    def locking(handle, mode, length):
        calls.append((mode, length))
        if mode == "try" and len(calls) > 1:
            raise PermissionError

    fake = types.SimpleNamespace(LK_NBLCK="try", LK_UNLCK="release", locking=locking)
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("locks_of_windows", locks.__file__)
    windows = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(windows)
    with (tmp_path / "lock").open("w+b") as file:
        assert windows.try_lock(file.fileno())
        assert not windows.try_lock(file.fileno())
        windows.unlock(file.fileno())
    assert calls == [("try", 1), ("try", 1), ("release", 1)]


def test_a_lock_is_held_once(tmp_path):
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        assert locks.try_lock(first.fileno())
        assert not locks.try_lock(second.fileno())
        locks.unlock(first.fileno())
        assert locks.try_lock(second.fileno())
