"""What ``storage=`` and ``address=`` may be, and what becomes of them."""

from __future__ import annotations

import pathlib

import pytest
from support.storages import fail, peek

from metron_async.errors import ConfigurationError
from metron_async.storage import MemoryStorage, RedisStorage, SQLiteStorage
from metron_async.storage.choose import VARIABLE, SplitStorage, address_name, choose_storage


def choose(storage=None, *, remote=True, **environment):
    return choose_storage(storage, remote=remote, environment=environment)


def test_the_default_is_the_users_cache_directory(tmp_path):
    chosen = choose()
    assert isinstance(chosen.storage, SQLiteStorage)
    assert chosen.owned
    assert chosen.place is chosen.storage
    assert chosen.storage.directory == SQLiteStorage().directory


def test_the_environment_overrides_the_default_and_nothing_else(tmp_path):
    environment = {VARIABLE: str(tmp_path / "there")}
    assert choose(**environment).storage.directory == tmp_path / "there"
    assert choose(tmp_path / "here", **environment).storage.directory == tmp_path / "here"
    assert isinstance(choose(remote=False, **{VARIABLE: ":memory:"}).storage, MemoryStorage)
    for blank in ("", " "):
        assert choose(**{VARIABLE: blank}).storage.directory == SQLiteStorage().directory


@pytest.mark.parametrize("kind", [str, pathlib.Path])
def test_directories(tmp_path, kind, monkeypatch):
    assert choose(kind(tmp_path / "x")).storage.directory == tmp_path / "x"
    monkeypatch.chdir(tmp_path)
    assert choose(kind("x")).storage.directory == tmp_path / "x"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert choose(kind("~/x")).storage.directory == tmp_path / "x"


@pytest.mark.parametrize("url", ["redis://localhost", "rediss://:secret@example.com:6380/2"])
def test_redis(url):
    chosen = choose(url)
    assert isinstance(chosen.storage, RedisStorage)
    assert chosen.owned
    assert "secret" not in repr(chosen)


async def test_memory():
    private = choose(":memory:", remote=False)
    assert isinstance(private.storage, MemoryStorage)
    assert private.owned
    assert choose(":memory:", remote=False).storage is not private.storage
    shared = MemoryStorage()
    assert choose(shared, remote=False) == (shared, False, shared)


async def test_the_address_of_a_client_in_memory_is_shared_with_the_machine():
    storages = [choose(":memory:"), choose(MemoryStorage())]
    for number, chosen in enumerate(storages, 1):
        assert isinstance(chosen.storage, SplitStorage)
        assert isinstance(chosen.place, MemoryStorage)
        assert chosen.owned
        assert await chosen.storage.transact("a", "b", fail("401")) == number
    default = choose()
    assert (await default.storage.transact("a", "b", peek))[:2] == (None, b"401 401")
    for chosen in [*storages, default]:
        await chosen.storage.aclose()


def test_objects():
    class Own:
        async def transact(self, account, address, decide):
            raise NotImplementedError

        async def aclose(self):
            raise NotImplementedError

    own = Own()
    assert choose(own) == (own, False, own)


@pytest.mark.parametrize(
    "storage",
    [
        "",
        b"x",
        7,
        object(),
        "valkey://:secret@x",
        "redis+sentinel://:secret@x",
        "a\0b",
        "~nobody-of-this-name/x",
        __file__,
        "redis://localhost:secret/0",
    ],
)
def test_what_is_no_storage(storage):
    with pytest.raises(ConfigurationError) as caught:
        choose(storage)
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("Invalid")


def test_addresses():
    assert address_name() == address_name(None) == "address"
    assert address_name("office") == address_name("office") != address_name("home")
    assert address_name("Büro \udcff").isascii()
    assert "office" not in address_name("office")
    for wrong in ("", 7, b"x"):
        with pytest.raises(ConfigurationError):
            address_name(wrong)
