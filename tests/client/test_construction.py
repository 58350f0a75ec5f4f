"""Building a client: what is refused, that nothing is opened, and that nothing secret shows."""

import asyncio
import base64
import pathlib

import httpx
import pytest
from support.systems import open_sockets
from support.world import SECRET

from metron_async import (
    AsyncMetron,
    ConfigurationError,
    MetronWarning,
    NotFoundError,
    Priority,
    UsageError,
)
from metron_async._engine.options import DEFAULT
from metron_async.cache import MemoryCache, RedisCache, SQLiteCache
from metron_async.storage import MemoryStorage, RedisStorage, SQLiteStorage
from metron_async.testing import FakeMetron


def test_nothing_is_opened_before_the_first_call(tmp_path):
    before = open_sockets()
    metron = AsyncMetron(token=SECRET)
    assert metron.issues.iter(series_id=5)
    assert metron.with_options(priority=Priority.BULK).collection
    assert open_sockets() == before
    assert not (tmp_path / "user-cache").exists()


async def test_and_nothing_is_to_be_closed_then(tmp_path):
    await AsyncMetron(token=SECRET).aclose()
    assert not (tmp_path / "user-cache").exists()
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "No credentials"),
        ({"username": "anna"}, "username is set but password is not"),
        ({"password": SECRET}, "password is set but username is not"),
        ({"token": SECRET, "username": "anna", "password": SECRET}, "not both"),
        ({"token": "  "}, "token is empty"),
        ({"token": SECRET, "base_url": "http://metron.cloud"}, "Plain http"),
        ({"token": SECRET, "base_url": f"https://u:{SECRET}@metron.cloud"}, "credentials"),
        ({"token": SECRET, "base_url": "https://metron.cloud/?a=b"}, "query"),
        ({"token": SECRET, "base_url": "nonsense"}, "absolute"),
        ({"token": SECRET, "user_agent": ""}, "user_agent"),
        ({"token": SECRET, "user_agent": "comictagger/1"}, "firewall"),
        ({"token": SECRET, "max_in_flight": 0}, "max_in_flight"),
        ({"token": SECRET, "max_in_flight": True}, "max_in_flight"),
        ({"token": SECRET, "max_in_flight": "8"}, "max_in_flight"),
        ({"token": SECRET, "max_in_flight": 2.5}, "max_in_flight"),
        ({"token": SECRET, "account": ""}, "account"),
        ({"token": SECRET, "cache": 5}, "cache must be"),
        ({"token": SECRET, "cache": MemoryCache}, "cache must be"),
        ({"token": SECRET, "storage": 5}, "Invalid storage"),
        ({"token": SECRET, "storage": f"ftp://{SECRET}"}, "Invalid storage"),
        ({"token": SECRET, "address": ""}, "Invalid address"),
        ({"token": SECRET, "http_client": object()}, "http_client"),
        ({"token": SECRET, "transport": object()}, "transport"),
    ],
    ids=range(23),
)
def test_what_cannot_be_used_is_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        AsyncMetron(**arguments)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"retries": -1}, {"timeout": 0}, {"max_wait": "soon"}, {"priority": 1}, {"nope": 1}]
)
def test_options_are_checked_at_once(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        AsyncMetron(token=SECRET, **options)
    with pytest.raises(UsageError, match=next(iter(options))):
        AsyncMetron(token=SECRET).with_options(**options)


def test_both_a_transport_and_a_client_is_one_too_many():
    with pytest.raises(ConfigurationError, match="mutually exclusive"):
        AsyncMetron(
            token=SECRET,
            transport=FakeMetron(issues=10).transport(),
            http_client=httpx.AsyncClient(),
        )


def header_of(metron):
    return dict(metron._caller.core.settings.connect()._headers)[b"Authorization"].decode()


def test_credentials_come_from_the_environment(monkeypatch):
    seen = []

    def handler(request):
        seen.append(request.headers["authorization"])
        return httpx.Response(404, json={"detail": "no"})

    async def call():
        async with AsyncMetron(transport=httpx.MockTransport(handler)) as metron:
            with pytest.raises(NotFoundError):
                await metron.issues.get(7)

    monkeypatch.setenv("METRON_USERNAME", "anna")
    with pytest.raises(
        ConfigurationError, match="METRON_USERNAME is set but METRON_PASSWORD is not"
    ):
        AsyncMetron()
    monkeypatch.setenv("METRON_PASSWORD", SECRET)
    asyncio.run(call())
    monkeypatch.setenv("METRON_TOKEN", SECRET)
    asyncio.run(call())
    basic, bearer = seen
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == f"anna:{SECRET}"
    assert bearer == f"Bearer {SECRET}"


async def test_no_repr_shows_a_secret():
    fake = FakeMetron(issues=60)
    fake.add_account("anna", SECRET, SECRET)
    basic = base64.b64encode(f"anna:{SECRET}".encode()).decode()
    for credentials in ({"token": SECRET}, {"username": "anna", "password": SECRET}):
        metron = AsyncMetron(**credentials, transport=fake.transport())
        view = metron.with_options(timeout=3)
        page = await metron.issues.iter().page(1)
        core = metron._caller.core
        texts = [metron, view, metron.issues, metron.issues.iter(), core, core.blueprint]
        texts += [view._caller.options, page, page.origin, await metron.issues.get(1)]
        texts += [metron.stats, await metron.quota(), core.parts, *core.parts]
        texts += [vars(part) for part in core.parts if hasattr(part, "__dict__")]
        for text in texts:
            for shown in (repr(text), str(text)):
                assert SECRET not in shown
                assert basic not in shown
        assert repr(metron) == "<AsyncMetron of https://metron.cloud (open)>"
        await metron.aclose()
        assert repr(view) == "<MetronView of https://metron.cloud (closed)>"


# -- Parts --------------------------------------------------------------------------------------


def blueprint(**arguments):
    return AsyncMetron(token=SECRET, **arguments)._caller.core.blueprint


def in_process():
    return FakeMetron(issues=10).transport()


def test_the_defaults_are_files():
    parts = blueprint()
    assert isinstance(parts.places.cache, SQLiteCache)
    assert isinstance(parts.places.storage, SQLiteStorage)
    assert parts.places.cache.path.parent == parts.places.storage.directory
    assert len(parts.places.owned) == 2
    assert repr(DEFAULT) == "DEFAULT"


@pytest.mark.parametrize(
    "options",
    [
        {"transport": in_process()},
        {"http_client": httpx.AsyncClient(transport=in_process())},
        {"http_client": httpx.AsyncClient(mounts={"https://": in_process()})},
    ],
    ids=["transport", "client", "mounts"],
)
def test_a_client_that_leads_to_no_network_keeps_off_the_files(options):
    parts = blueprint(**options)
    assert isinstance(parts.places.cache, MemoryCache)
    assert isinstance(parts.places.storage, MemoryStorage)


@pytest.mark.parametrize("cache", ["c.sqlite3", pathlib.Path("c.sqlite3")])
def test_a_path_is_a_cache_of_our_own(cache):
    parts = blueprint(cache=cache, transport=in_process())
    assert isinstance(parts.places.cache, SQLiteCache)
    assert parts.places.cache.aclose in parts.places.owned


def test_a_cache_that_was_passed_in_is_not_ours_to_close():
    cache = MemoryCache()
    parts = blueprint(cache=cache, transport=in_process())
    assert parts.places.cache is cache
    assert cache.aclose not in parts.places.owned
    assert blueprint(cache=None).places.cache is None
    assert isinstance(blueprint(cache=":memory:").places.cache, MemoryCache)


def test_accounts_share_a_budget_by_name_and_server():
    def key(**arguments):
        return AsyncMetron(**arguments)._caller.core.blueprint.account

    one = key(token="a", account="anna")
    assert one == key(token="b", account="anna")
    assert one == key(username="anna", password="x")
    assert one == key(token="a", account="anna", base_url="https://Metron.Cloud:443/api/")
    assert one != key(token="a", account="anna", base_url="https://metron.example")
    assert one != key(token="a")
    assert SECRET not in key(token=SECRET)


def test_storage_in_memory_for_a_real_server_is_warned_of_where_it_is_written():
    for storage in (":memory:", MemoryStorage()):
        with pytest.warns(MetronWarning, match="in memory only") as caught:
            AsyncMetron("token", storage=storage)
        assert caught[0].filename == __file__


@pytest.mark.filterwarnings("ignore::metron_async.errors.MetronWarning")
def test_what_may_lead_to_a_ban_is_kept_in_the_machines_file():
    storage = AsyncMetron("token", storage=":memory:")._caller.core.blueprint.places.storage
    assert type(storage).__name__ == "SplitStorage"


def test_the_environment_keeps_a_client_in_memory(monkeypatch):
    monkeypatch.setenv("METRON_ASYNC_STORAGE", ":memory:")
    blueprint = AsyncMetron("token")._caller.core.blueprint
    assert type(blueprint.places.cache).__name__ == "MemoryCache"
    assert type(blueprint.places.storage).__name__ == "SplitStorage"


def test_the_cache_lives_in_the_storage_unless_it_is_given(tmp_path, monkeypatch):
    parts = blueprint(storage=tmp_path / "state")
    assert parts.places.cache.path.parent == parts.places.storage.directory == tmp_path / "state"
    assert blueprint(storage=tmp_path, cache=None).places.cache is None
    other = blueprint(storage=tmp_path, cache=tmp_path / "c")
    assert other.places.cache.path == tmp_path / "c"
    redis = blueprint(storage="redis://localhost")
    assert isinstance(redis.places.storage, RedisStorage)
    assert isinstance(redis.places.cache, RedisCache)
    given = RedisStorage("redis://localhost")
    redis = blueprint(storage=given)
    assert isinstance(redis.places.cache, RedisCache)
    assert given.aclose not in redis.places.owned
    monkeypatch.setenv("METRON_ASYNC_STORAGE", str(tmp_path))
    assert blueprint().places.storage.directory == tmp_path


def test_the_environment_names_the_server(monkeypatch):
    monkeypatch.setenv("METRON_BASE_URL", "https://metron.example")
    assert blueprint().origin == "https://metron.example"
    assert blueprint(base_url="https://other.example").origin == "https://other.example"
