"""Credentials that the server refuses: however many ask, the address is never banned.

Real sockets and real files, since what is shared lies in files. Nothing here waits.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from metron_async import AsyncMetron, AuthenticationError, BlockedError
from metron_async.testing import FakeMetron

ONE_CALL = """
import asyncio, sys
from metron_async import AsyncMetron, AuthenticationError, BlockedError

async def main():
    async with AsyncMetron("wrong", base_url=sys.argv[1], cache=None) as metron:
        try:
            await metron.with_options(max_wait=20).issues.get(1)
        except (AuthenticationError, BlockedError) as error:
            print(type(error).__name__)

asyncio.run(main())
"""


def refused(fake: FakeMetron) -> int:
    return sum(asked.status == 401 for asked in fake.requests)


async def outcome(metron: AsyncMetron, number: int) -> type[BaseException] | None:
    try:
        await metron.issues.get(number)
    except (AuthenticationError, BlockedError) as error:
        return type(error)
    return None


async def test_eight_calls_at_once_cost_one_401() -> None:
    fake = FakeMetron(issues=60)
    async with fake.serve() as url, AsyncMetron("wrong", base_url=url) as metron:
        found = await asyncio.gather(*(outcome(metron, number) for number in range(1, 9)))
    assert refused(fake) == 1
    assert found.count(AuthenticationError) == 1
    assert found.count(BlockedError) == 7
    assert fake.bans == []


async def test_the_latch_outlives_the_client_until_the_credentials_change() -> None:
    fake = FakeMetron(issues=60)
    async with fake.serve() as url:
        async with AsyncMetron("wrong", base_url=url) as metron:
            with pytest.raises(AuthenticationError):
                await metron.issues.get(1)
        async with AsyncMetron("wrong", base_url=url) as metron:
            with pytest.raises(BlockedError) as caught:
                await metron.issues.get(1)
            assert 0 < caught.value.retry_after <= 601
        assert len(fake.requests) == 1
        async with AsyncMetron(fake.token, base_url=url) as metron:
            assert (await metron.issues.get(1)).id == 1


async def test_the_caller_can_clear_the_latch() -> None:
    fake = FakeMetron(issues=60)
    async with fake.serve() as url, AsyncMetron("soon-valid", base_url=url) as metron:
        with pytest.raises(AuthenticationError):
            await metron.issues.get(1)
        fake.add_account("anna", "password", "soon-valid")
        with pytest.raises(BlockedError):
            await metron.issues.get(1)
        await metron.retry_credentials()
        assert (await metron.issues.get(1)).id == 1


async def test_three_users_with_bad_tokens_do_not_get_the_address_banned() -> None:
    fake = FakeMetron(issues=60)
    async with fake.serve() as url:
        for token in ("wrong-1", "wrong-2", "wrong-3", "wrong-4"):
            async with AsyncMetron(token, base_url=url) as metron:
                await asyncio.gather(
                    *(outcome(metron.with_options(max_wait=0.5), number) for number in range(1, 4))
                )
    assert refused(fake) <= 2
    assert fake.bans == []


async def test_four_processes_with_a_bad_token(tmp_path: Path) -> None:
    script = tmp_path / "one_call.py"
    script.write_text(ONE_CALL)
    fake = FakeMetron(issues=60)
    async with fake.serve() as url:
        running = [
            await asyncio.create_subprocess_exec(
                sys.executable, str(script), url, stdout=asyncio.subprocess.PIPE
            )
            for _ in range(4)
        ]
        printed = [(await process.communicate())[0].decode().strip() for process in running]
    assert refused(fake) <= 2
    assert set(printed) <= {"AuthenticationError", "BlockedError"}
    assert all(printed)
    assert fake.bans == []


async def test_servers_on_this_machine_do_not_block_each_other() -> None:
    """A token that a server under test refuses must not hold up requests to another one."""
    under_test, other = FakeMetron(issues=60), FakeMetron(issues=60)
    async with under_test.serve() as url, other.serve() as elsewhere:
        for token in ("wrong1", "wrong2", "wrong3"):
            async with AsyncMetron(token, base_url=url) as metron:
                with pytest.raises((AuthenticationError, BlockedError)):
                    await metron.issues.get(1)
        async with AsyncMetron(other.token, base_url=elsewhere) as metron:
            assert (await metron.issues.get(1)).id == 1
    assert refused(under_test) == 2
