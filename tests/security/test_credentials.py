"""Credentials are in no log line, no error, no repr, no warning and no file, and go to one host.

Everything that the client can do is done, well and badly, with a token and with a password, over
a real socket and with the real files; then all that is left is searched, also for encodings and
digests of the secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import warnings

import pytest
from support.calls import READS, SIZE, WRITES
from support.secrets_search import (
    PASSWORD,
    TOKEN,
    USERNAME,
    Recorder,
    assert_clean,
    found_in,
    texts_of,
)

import metron_async
from metron_async import AsyncMetron
from metron_async.errors import MetronError
from metron_async.storage.files import default_directory
from metron_async.testing import FakeMetron, Fault

CREDENTIALS = {
    "token": {"token": TOKEN},
    "password": {"username": USERNAME, "password": PASSWORD},
}
FAULTS = (
    Fault.connect_error,
    Fault.drop_before,
    Fault.cut_body,
    Fault.html_page,
    Fault.garbled,
    Fault.bad_gzip,
    Fault.redirect_host,
    Fault.redirect_http,
    Fault.foreign_next,
    lambda: Fault.status(500),
    lambda: Fault.status(403),
    lambda: Fault.status(404),
    lambda: Fault.status(418),
)


def the_fake():
    fake = FakeMetron(SIZE, throttle=False, bans=False)
    fake.add_account(USERNAME, PASSWORD, TOKEN, editor=True)
    return fake


async def live(metron, fake, texts):
    """Do everything, well and badly, and keep what can be read of it."""

    async def attempt(work):
        try:
            texts.append(repr(await work))
        except (MetronError, metron_async.MetronWarning) as error:
            texts.extend(texts_of(error))

    calm = metron.with_options(retries=0)
    for call in (*READS, *WRITES):
        await attempt(call.run(calm))
    for fault in FAULTS:
        fake.faults.add(fault(), times=None)
        await attempt(calm.with_options(refresh=True, stale_if_error=False).issues.get(3))
        await attempt(calm.publishers.iter(name="x").collect())
        await attempt(calm.collection.scrobble(3))
        fake.faults.clear()
        await metron.retry_credentials()
    await attempt(calm.with_options(timeout=1e-6, refresh=True).issues.get(4))
    await attempt(calm.with_options(offline=True).issues.get(5))
    texts += [repr(part) for part in (metron, calm, metron.stats, metron.issues, metron.cache)]
    texts += [repr(await metron.quota()), repr(vars(metron._caller.core))]
    texts += [repr(vars(metron._caller.core.blueprint)), repr(metron._caller.core.parts)]
    texts += [str(metron), f"{metron!r:s}", repr(metron.publishers.iter(name="x"))]
    fake.faults.add(Fault.status(401))
    await attempt(calm.with_options(refresh=True).issues.get(3))
    await attempt(calm.with_options(refresh=True).issues.get(4))
    await metron.retry_credentials()


@contextlib.contextmanager
def everything_is_logged():
    """Record all loggers at DEBUG, as somebody does who looks for a mistake."""
    recorder = Recorder()
    recorder.setFormatter(logging.Formatter("%(name)s %(message)s"))
    names = ["", *logging.root.manager.loggerDict, "httpx", "httpcore", "aiosqlite", "asyncio"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(recorder)
    try:
        yield recorder.lines
    finally:
        logging.getLogger().removeHandler(recorder)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_nothing_that_is_left_holds_a_credential(kind, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    fake, texts = the_fake(), []
    with everything_is_logged() as lines, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with fake.serve() as url:
            async with AsyncMetron(**CREDENTIALS[kind], base_url=url) as metron:
                await live(metron, fake, texts)
            texts.append(repr(metron))
            with pytest.raises(metron_async.ClosedError) as closed:
                await metron.issues.get(1)
            texts += texts_of(closed.value)
    assert len(lines) > 1000, "the loggers were not heard"
    assert any("httpcore" in line for line in lines)
    assert any("aiosqlite" in line for line in lines)
    assert len(texts) > 100
    for line in lines:
        assert_clean(line, f"the log: {line:.300}")
    for text in texts:
        assert_clean(text, f"a text: {text:.300}")
    for warning in caught:
        assert_clean(f"{warning.message} {warning.source!r}", "a warning")
    for printed in capfd.readouterr():
        assert_clean(printed, "what was printed")
    # The search is not blind: the server did get them.
    assert all(found_in(asked.headers["authorization"]) for asked in fake.requests)


@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_no_file_holds_a_credential(kind):
    fake, texts = the_fake(), []
    places = []
    async with fake.serve() as url:
        for _ in range(2):
            async with AsyncMetron(**CREDENTIALS[kind], base_url=url, account=None) as metron:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    await live(metron, fake, texts)
                places += _search_files()
        places += _search_files()
    assert "state.sqlite3" in {path.name for path in places}
    assert any(path.name.startswith("cache-") and path.suffix == ".sqlite3" for path in places)
    assert any(path.name.endswith("-wal") for path in places)


def _search_files():
    found = [path for path in default_directory().rglob("*") if path.is_file()]
    for path in found:
        assert_clean(path.read_bytes(), path)
        assert_clean(path.name, "a file name")
        assert USERNAME.encode() not in path.name.encode()
    return found


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_what_cannot_be_used_is_not_quoted(kind):
    given = CREDENTIALS[kind]
    wrong = [
        {"base_url": f"https://{USERNAME}:{TOKEN}@metron.cloud"},
        {"base_url": f"https://metron.cloud/?token={TOKEN}"},
        {"base_url": "http://metron.cloud"},
        {"user_agent": f"app\r\nX-Token: {TOKEN}"},
        {"token": f"Bearer {TOKEN}"},
        {"token": TOKEN + "\nX: y"},
        {"token": TOKEN, "password": PASSWORD},
        {"username": USERNAME + ":", "password": PASSWORD},
        {"max_in_flight": 0},
        {"cache": 3},
        {"transport": object()},
    ]
    for arguments in wrong:
        with pytest.raises(metron_async.ConfigurationError) as caught:
            AsyncMetron(**(arguments if "token" in arguments else given | arguments))
        assert_clean(str(caught.value) + repr(caught.value) + repr(caught.value.args), arguments)
        assert caught.value.__cause__ is None


async def test_a_task_that_nobody_awaits_tells_no_credential(caplog):
    """The names and reprs of tasks and of coroutines go to the log where something is lost."""
    fake = the_fake()
    fake.latency = 0.02
    metron = AsyncMetron(TOKEN, transport=fake.transport())
    task = asyncio.create_task(metron.issues.get(1))
    await asyncio.sleep(0.01)
    shown = [repr(one) for one in asyncio.all_tasks()]
    shown += ["".join(map(str, one.get_stack())) for one in asyncio.all_tasks()]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    fake.faults.add(Fault.garbled())
    task = asyncio.create_task(metron.issues.get(2))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.1)
    await metron.aclose()
    gc.collect()
    for text in [*shown, caplog.text]:
        assert_clean(text, "a task")
