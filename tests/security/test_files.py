"""The files: who can read them, and what happens where somebody else has laid hands on them."""

from __future__ import annotations

import os
import stat
import warnings

import pytest
from support.systems import needs_posix

from metron_async import AsyncMetron, MetronWarning
from metron_async.storage.files import default_directory
from metron_async.testing import FakeMetron

pytestmark = needs_posix


async def use(fake, url):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetronWarning)
        async with AsyncMetron(fake.token, base_url=url) as metron:
            assert (await metron.issues.get(1)).id == 1
            assert (await metron.issues.iter().first()).id


@pytest.fixture
def permissive():
    """Let new files be open to everybody, unless their maker says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def files():
    return sorted(path for path in default_directory().iterdir() if not path.is_dir())


@pytest.mark.usefixtures("permissive")
async def test_files_are_their_owners_only():
    fake = FakeMetron(30, throttle=False)
    seen = set()
    async with fake.serve() as url:
        async with AsyncMetron(fake.token, base_url=url) as metron:
            await metron.issues.get(1)
            for path in files():
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
                seen.add(path.name)
        for path in files():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(default_directory().stat().st_mode) == 0o700
    assert any(name.endswith("-wal") for name in seen)
    assert any("secret" in name for name in seen)
    assert len(seen) >= 8


async def test_no_link_is_followed(tmp_path):
    """Whatever lies in the place of a file, side files included, what it points to stays."""
    fake = FakeMetron(30, throttle=False)
    async with fake.serve() as url:
        await use(fake, url)
        names = [path.name for path in files()]
        names += [f"{name}-{side}" for name in names for side in ("wal", "shm") if "sqlite" in name]
        for name in names:
            for path in files():
                path.unlink()
            target = tmp_path / f"precious-{name}"
            target.write_bytes(b"precious")
            target.chmod(0o644)
            (default_directory() / name).symlink_to(target)
            if name.endswith(("-wal", "-shm")):
                continue  # SQLite itself looks after these, see below
            await use(fake, url)
            assert target.read_bytes() == b"precious", name
            assert stat.S_IMODE(target.stat().st_mode) == 0o644, name


async def test_a_link_to_nowhere_makes_no_file(tmp_path):
    fake = FakeMetron(30, throttle=False)
    async with fake.serve() as url:
        await use(fake, url)
        for name in [path.name for path in files()]:
            for path in files():
                path.unlink()
            target = tmp_path / f"nowhere-{name}"
            (default_directory() / name).symlink_to(target)
            await use(fake, url)
            assert not target.exists(), name


async def test_what_others_could_write_is_set_aside_unread():
    fake = FakeMetron(30, throttle=False)
    async with fake.serve() as url:
        await use(fake, url)
        databases = [path for path in files() if path.suffix in {".sqlite", ".sqlite3"}]
        assert len(databases) == 2
        for path in databases:
            path.chmod(0o666)
        asked = len(fake.requests)
        await use(fake, url)
        assert len(fake.requests) > asked, "what others could have written was believed"
        for path in databases:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert list(path.parent.glob(f"{path.name}.damaged-*")), path


async def test_what_others_could_read_is_closed_to_them():
    fake = FakeMetron(30, throttle=False)
    async with fake.serve() as url:
        await use(fake, url)
        for path in files():
            path.chmod(0o644)
        await use(fake, url)
        for path in files():
            if "lock" not in path.name and "epoch" not in path.name:  # they hold nothing
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
async def test_files_of_somebody_else_are_not_used():
    fake = FakeMetron(30, throttle=False)
    async with fake.serve() as url:
        await use(fake, url)
        for path in files():
            os.chown(path, 65534, 65534)
        before = {path: path.read_bytes() for path in files() if path.suffix.startswith(".sq")}
        await use(fake, url)
        for path, content in before.items():
            assert path.read_bytes() == content, path


async def test_a_cache_at_a_path_of_ones_own_is_no_different(tmp_path):
    fake = FakeMetron(30, throttle=False)
    place = tmp_path / "own" / "cache.db"
    transport = fake.transport()
    async with AsyncMetron(fake.token, transport=transport, cache=place) as metron:
        await metron.issues.get(1)
    for path in place.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    place.unlink()
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    place.symlink_to(precious)
    with pytest.warns(MetronWarning):
        async with AsyncMetron(fake.token, transport=transport, cache=place) as metron:
            assert (await metron.issues.get(1)).id == 1
    assert precious.read_bytes() == b"precious"
