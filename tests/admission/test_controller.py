"""Deadlines, cancellation, failing storages: what a caller of the controller sees."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from support.admission import Client, CountingStorage, Server, admit, saturate
from support.stores import Slow
from support.virtual import on_virtual_time

from metron_async.admission import Controller, EndKind, RequestEnd, Shared, Waiter, dispatcher
from metron_async.admission.codec import decode_account, decode_address
from metron_async.admission.state import DEFAULT_RULES, FORMAT
from metron_async.errors import BlockedError, ClosedError, RateLimitError, StorageError
from metron_async.types import Priority

pytestmark = pytest.mark.filterwarnings("error")


def controller_on(storage, key="me", **options):
    return Controller(storage, account=key, address="here", credentials=key, **options)


def account_in(storage, name="me"):
    return decode_account(storage.state(name), DEFAULT_RULES, 0.0)


def failures_in(storage):
    return decode_address((storage.state("here") or b"")[12:])


async def answer(controller, waiter=None, *, status=200, headers=None, **options):
    permit = await admit(controller, waiter, **options)
    await asyncio.sleep(0.1)
    controller.settle(permit, RequestEnd.answered(status, headers or {}))
    await asyncio.sleep(0.01)
    return permit


class Failing(CountingStorage):
    """A storage that fails while ``down``, after saving if ``saves``."""

    down = saves = False

    async def transact(self, account, address, decide):
        if self.down and not self.saves:
            msg = "down"
            raise StorageError(msg)
        reply = await super().transact(account, address, decide)
        if self.down:
            msg = "the reply was lost"
            raise StorageError(msg)
        return reply


class Hanging(CountingStorage):
    """A storage that takes as long as ``latency`` says, from now on."""


@pytest.mark.parametrize("max_wait", [0, 0.5, 2])
@pytest.mark.parametrize("priority", [Priority.NORMAL, Priority.INTERACTIVE])
@pytest.mark.parametrize("latency", [0.0, 0.05])
@on_virtual_time
async def test_max_wait_holds_beside_another_client(max_wait, priority, latency):
    storage, server, loop = CountingStorage(latency), Server(), asyncio.get_running_loop()
    ours, other = (Client(server, storage, rtt=(0.3, 0.3)) for _ in range(2))
    busy = [asyncio.ensure_future(other.call(priority)) for _ in range(40)]
    for _ in range(30):
        await asyncio.sleep(0.7)
        began = loop.time()
        try:
            permit = await admit(ours.controller, Waiter(Priority.INTERACTIVE), max_wait=max_wait)
            ours.controller.release(permit)
        except RateLimitError as error:
            assert error.retry_after > 0  # noqa: PT017
        assert loop.time() - began <= max_wait + 0.5
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    for each in (ours, other):
        await each.controller.aclose()
    assert server.rejected == []


@on_virtual_time
async def test_a_caller_that_does_not_wait_still_gets_its_first_look():
    storage = CountingStorage(0.1)
    controller = controller_on(storage)
    controller.release(await admit(controller, Waiter(), max_wait=0))
    await controller.aclose()


@on_virtual_time
async def test_a_storage_that_hangs_obeys_max_wait():
    loop, storage = asyncio.get_running_loop(), CountingStorage(30.0)
    controller = controller_on(storage)
    with pytest.raises(StorageError, match="did not reply"):
        await admit(controller, Waiter(), max_wait=1)
    assert loop.time() < 1.5
    await controller.aclose()
    assert account_in(storage).leases == [], "the slot that was granted too late went back"
    assert failures_in(storage) == []


@on_virtual_time
async def test_a_grant_whose_reply_was_lost_goes_back():
    storage = Failing()
    controller = controller_on(storage)
    storage.down = storage.saves = True
    with pytest.raises(StorageError):
        await controller.admit(Waiter())
    storage.down = False
    await asyncio.sleep(1)
    assert account_in(storage).leases == []
    await controller.aclose()


@on_virtual_time
async def test_settling_never_delays_and_is_repeated_until_the_storage_works():
    storage, loop = Failing(), asyncio.get_running_loop()
    controller = controller_on(storage)
    permit = await controller.admit(Waiter())
    storage.down, began = True, loop.time()
    controller.settle(permit, RequestEnd.answered(404, {}))
    controller.settle(permit, RequestEnd.answered(403, {}))  # a second report is ignored
    assert loop.time() == began
    await asyncio.sleep(5)
    storage.down = False
    await asyncio.sleep(10)
    assert account_in(storage).leases == []
    assert [kind for kind, _ in failures_in(storage)] == [404]
    await controller.aclose()


@on_virtual_time
async def test_a_settlement_is_given_up_when_its_lease_ends(caplog):
    storage = Failing()
    controller = controller_on(storage)
    permit = await controller.admit(Waiter())
    storage.down = True
    controller.settle(permit, RequestEnd.answered(200, {}))
    await asyncio.sleep(60)
    assert "was not settled" in caplog.text
    storage.down = False
    assert (await controller.quota()).burst.remaining == 19
    await controller.aclose()


@on_virtual_time
async def test_a_late_settlement_replaces_the_lost_entry():
    storage = CountingStorage()
    killed, alive = controller_on(storage), controller_on(storage)
    permit = await killed.admit(Waiter(may_404=True))
    killed._client._renewal.cancel()
    await asyncio.sleep(30)
    quota = await alive.quota()
    assert (quota.in_flight, quota.burst.remaining) == (0, 19)
    killed.settle(permit, RequestEnd.answered(200, {}))
    await asyncio.sleep(1)
    quota = await alive.quota()
    assert quota.burst.remaining == 19, "counted once"
    assert quota.sustained.remaining == 4999
    assert failures_in(storage) == []
    for each in (killed, alive):
        await each.aclose()


@on_virtual_time
async def test_leases_are_renewed_while_a_response_is_awaited():
    storage = CountingStorage()
    controller = controller_on(storage)
    permit = await controller.admit(Waiter())
    await asyncio.sleep(100)
    assert (await controller.quota()).in_flight == 1
    controller.settle(permit, RequestEnd.answered(200, {}))
    await asyncio.sleep(1)
    assert (await controller.quota()).in_flight == 0
    await controller.aclose()


@on_virtual_time
async def test_a_forgotten_permit_is_not_renewed_without_end():
    storage = CountingStorage()
    controller = controller_on(storage)
    await controller.admit(Waiter())
    await asyncio.sleep(400)
    assert (await controller.quota()).in_flight == 0
    await controller.aclose()


@on_virtual_time
async def test_an_idle_controller_holds_nothing():
    storage = CountingStorage()
    controller = controller_on(storage)
    await answer(controller)
    await asyncio.sleep(30)
    looks = storage.looks
    await asyncio.sleep(3600)
    assert storage.looks == looks
    assert len(asyncio.all_tasks()) == 1
    assert failures_in(storage) == []
    await controller.aclose()


@on_virtual_time
async def test_at_most_one_look_a_second_at_a_request_of_another_process(monkeypatch):
    storage = CountingStorage()
    monkeypatch.setattr(dispatcher, "_POLL", (0.05, 0.2))  # so that only the limiter holds looks
    rules = msgspec.structs.replace(DEFAULT_RULES, lease=900.0)
    ours, other = (controller_on(storage, max_in_flight=1, rules=rules) for _ in range(2))
    await answer(other)
    held = await other.admit(Waiter())
    waiting = asyncio.ensure_future(ours.admit(Waiter()))
    await asyncio.sleep(5)
    looks = storage.looks
    await asyncio.sleep(600)
    assert storage.looks - looks <= 600 + 4  # the limiter saves up three, and both ends count
    other.settle(held, RequestEnd.answered(200, {}))
    await asyncio.sleep(1.5)
    ours.release(await waiting)
    for each in (ours, other):
        await each.aclose()


@on_virtual_time
async def test_at_most_one_look_a_second_while_waiting():
    storage, server, loop = CountingStorage(), Server(limit=2), asyncio.get_running_loop()
    one, two = (Client(server, storage) for _ in range(2))
    for _ in range(2):
        await one.call(Priority.NORMAL)
    waiting = [asyncio.ensure_future(each.call()) for each in (one, two) for _ in range(3)]
    await asyncio.sleep(5)
    looks, began = storage.looks, loop.time()
    await asyncio.sleep(50)
    assert storage.looks - looks <= 2 * (loop.time() - began)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for each in (one, two):
        await each.controller.aclose()


@on_virtual_time
async def test_a_wait_is_announced_and_again_when_it_becomes_longer():
    storage, server, waits = CountingStorage(), Server(), []
    client = Client(server, storage, rtt=(0.1, 0.1))
    for _ in range(20):
        await client.call()
    waiter = Waiter(on_wait=waits.append)
    waiting = asyncio.ensure_future(client.controller.admit(waiter))
    await asyncio.sleep(1)
    assert len(waits) == 1
    assert waits[0].scope == "burst"
    assert waits[0].limit == 20
    assert 50 < waits[0].wait < 60
    permit = await waiting
    client.controller.release(permit)
    await asyncio.sleep(61)
    # The quota of the day is used up by others, while a caller waits for the minute.
    for _ in range(20):
        await client.call()
    waiter = Waiter(on_wait=waits.append)
    waiting = asyncio.ensure_future(client.controller.admit(waiter))
    await asyncio.sleep(1)
    state = account_in(storage)
    state.blocked_until, state.blocked_by_day = asyncio.get_running_loop().time() + 4000, True
    from metron_async.admission.codec import encode_account  # noqa: PLC0415

    storage._saved[f"account-{FORMAT}:me"] = encode_account(state)
    await asyncio.sleep(20)
    assert waits[-1].scope == "sustained"
    assert len(waits) == 3
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await client.controller.aclose()


@on_virtual_time
async def test_cancelled_at_any_time_nothing_is_left():
    for steps in range(12):
        storage = CountingStorage(0.02)
        controller = controller_on(storage)
        task = asyncio.ensure_future(controller.admit(Waiter()))
        for _ in range(steps):
            await asyncio.sleep(0.005)
        task.cancel()
        for permit in await asyncio.gather(task, return_exceptions=True):
            if not isinstance(permit, BaseException):
                controller.release(permit)
        await controller.aclose()
        assert account_in(storage).leases == []
        assert failures_in(storage) == []


@on_virtual_time
async def test_a_higher_priority_overtakes_and_promotion_works():
    client, order = Client(Server(limit=6), rtt=(0.1, 0.1)), []
    for _ in range(6):
        await client.call()

    async def call(name, waiter):
        permit = await client.controller.admit(waiter)
        order.append(name)
        status, headers = await client.send()
        client.controller.settle(permit, RequestEnd.answered(status, headers))

    promoted = Waiter(Priority.BULK)
    calls = [
        asyncio.ensure_future(call("bulk", Waiter(Priority.BULK))),
        asyncio.ensure_future(call("promoted", promoted)),
        asyncio.ensure_future(call("normal", Waiter(Priority.NORMAL))),
        asyncio.ensure_future(call("person", Waiter(Priority.INTERACTIVE))),
    ]
    await asyncio.sleep(0.5)
    client.controller.promote(promoted, Priority.INTERACTIVE)
    client.controller.promote(promoted, Priority.BULK)
    await asyncio.gather(*calls)
    assert order == ["person", "promoted", "normal", "bulk"]
    await client.controller.aclose()


@on_virtual_time
async def test_closing_turns_waiters_away():
    client = Client(Server(limit=1))
    await client.call()
    waiting = asyncio.ensure_future(client.controller.admit(Waiter()))
    await asyncio.sleep(1)
    await client.controller.aclose()
    with pytest.raises(ClosedError):
        await waiting
    with pytest.raises(ClosedError):
        await client.controller.admit(Waiter())


@on_virtual_time
async def test_refused_credentials_are_not_sent_again_until_asked_to():
    controller = controller_on(CountingStorage())
    await answer(controller, status=401)
    with pytest.raises(BlockedError, match="401") as caught:
        await controller.admit(Waiter())
    assert 590 < caught.value.retry_after <= 600
    await controller.retry_credentials()
    await answer(controller)
    await answer(controller)
    await controller.aclose()


@on_virtual_time
async def test_a_401_from_something_in_front_is_not_a_refusal_but_never_a_ban_either():
    storage = CountingStorage()
    controller = controller_on(storage)
    await answer(controller)
    for _ in range(2):
        permit = await controller.admit(Waiter())
        controller.settle(permit, RequestEnd.answered(401, {}, intercepted=True))
        await asyncio.sleep(0.1)
    storage._saved.clear()
    storage._states._seen.clear()
    with pytest.raises(BlockedError, match="not proven") as caught:
        await controller.admit(Waiter())
    assert "refused" not in str(caught.value)
    await asyncio.sleep(caught.value.retry_after + 0.001)
    await answer(controller)
    await answer(controller)
    await controller.aclose()


@on_virtual_time
async def test_401s_from_something_in_front_between_successes_do_not_add_up_to_a_ban():
    controller, server = controller_on(CountingStorage()), Server()
    loop = asyncio.get_running_loop()
    await answer(controller, headers=server.handle(0.0)[1])
    for _ in range(2):
        refused, served = [await controller.admit(Waiter()) for _ in range(2)]
        await asyncio.sleep(1)
        controller.settle(refused, RequestEnd.answered(401, {}, intercepted=True))
        controller.settle(served, RequestEnd.answered(200, server.handle(loop.time())[1]))
        await asyncio.sleep(0.1)
    with pytest.raises(BlockedError, match="not proven"):
        await controller.admit(Waiter())
    await controller.aclose()


@on_virtual_time
async def test_two_lost_responses_are_reported_as_lost_with_their_cause():
    controller, error = controller_on(CountingStorage()), OSError("reset by peer")
    for _ in range(2):
        permit = await controller.admit(Waiter())
        await asyncio.sleep(1)
        controller.settle(permit, RequestEnd(EndKind.LOST, error=error))
    await asyncio.sleep(1)
    with pytest.raises(BlockedError, match="lost") as caught:
        await controller.admit(Waiter())
    assert caught.value.__cause__ is error
    assert "401" not in str(caught.value)
    await asyncio.sleep(caught.value.retry_after + 0.001)
    controller.release(await controller.admit(Waiter()))
    await controller.aclose()


@on_virtual_time
async def test_two_wrong_tokens_hold_up_only_what_is_not_proven():
    storage = CountingStorage()
    proven, unproven = controller_on(storage, "proven"), controller_on(storage, "new")
    await answer(proven)
    for key in ("wrong", "worse"):
        wrong = controller_on(storage, key)
        await answer(wrong, status=401)
        await wrong.aclose()
    await answer(proven)
    with pytest.raises(BlockedError, match="not proven") as caught:
        await unproven.admit(Waiter())
    assert 290 < caught.value.retry_after <= 305
    for each in (proven, unproven):
        await each.aclose()


@on_virtual_time
async def test_only_the_first_401_of_a_new_container_is_held_back():
    storage = CountingStorage()
    first = controller_on(storage, new_container=True)
    permit = await answer(first, status=401)
    assert permit.hold(401) == 170
    assert permit.hold(403) == 0
    await first.retry_credentials()
    assert (await answer(first, status=401)).hold(401) == 0
    second = controller_on(storage, "two", new_container=True)
    with pytest.raises(BlockedError):
        await second.admit(Waiter())
    assert (await answer(controller_on(CountingStorage()), status=401)).hold(401) == 0
    for each in (first, second):
        await each.aclose()


@on_virtual_time
async def test_a_storage_that_was_emptied_learns_the_requests_in_flight_again():
    storage = CountingStorage()
    controller = controller_on(storage)
    await answer(controller)
    permits = [await controller.admit(Waiter()) for _ in range(3)]
    storage._saved.clear()
    storage._states._seen.clear()
    other = controller_on(storage, "other")
    await answer(other)
    with pytest.raises(RateLimitError):  # as after first contact: one goes alone
        await admit(controller, Waiter(), max_wait=0)
    assert (await controller.quota()).in_flight == 3
    for permit in permits:
        controller.settle(permit, RequestEnd.answered(200, {}))
    assert (await controller.quota()).in_flight == 0
    await answer(controller)
    for each in (controller, other):
        await each.aclose()


@on_virtual_time
async def test_a_storage_that_was_emptied_learns_the_failures_of_this_process_again():
    storage = CountingStorage()
    controller = controller_on(storage)
    await answer(controller)
    for _ in range(4):
        await answer(controller, status=403)
    storage._saved.clear()
    storage._states._seen.clear()
    other = controller_on(storage, "other")
    await answer(other, status=404)
    await answer(controller, status=403)
    with pytest.raises(BlockedError, match="403"):
        await controller.admit(Waiter())
    for each in (controller, other):
        await each.aclose()


@pytest.mark.parametrize("forgets", [False, True])
@on_virtual_time
async def test_a_damaged_list_of_failures_is_learned_again(forgets):
    storage = CountingStorage()
    controller = controller_on(storage)
    await answer(controller)
    for _ in range(4):
        await answer(controller, status=403)
    storage._saved["here"] = storage._saved["here"][:-1] + b"?"
    if forgets:  # as in a process that has seen none of it
        storage._states._seen.clear()
    await answer(controller, status=403)
    with pytest.raises(BlockedError, match="403"):
        await controller.admit(Waiter())
    await controller.aclose()


@on_virtual_time
async def test_processes_that_ask_for_the_same_make_one_request():
    storage, sent = CountingStorage(), []

    async def process(number):
        controller = controller_on(storage)
        granted = await controller.admit(Waiter(key="issue 1"))
        if isinstance(granted, Shared):
            await controller.aclose()
            return granted.status
        sent.append(number)
        await asyncio.sleep(0.4)
        controller.settle(granted, RequestEnd.answered(200, {}, outcome=200))
        await controller.aclose()
        return "sent"

    results = await asyncio.gather(*(process(number) for number in range(8)))
    assert (results.count(200), results.count("sent")) == (7, 1)
    # A call that begins later does not take what was there before it began.
    assert await process(9) == "sent"


@on_virtual_time
async def test_a_slow_storage_makes_no_response_younger_than_it_is():
    shared = CountingStorage()
    slow, quick = controller_on(Slow(shared, pause=1.0)), controller_on(shared)
    permit = await slow.admit(Waiter(key="issue 1"))
    slow.settle(permit, RequestEnd.answered(200, {}, outcome=200))
    await asyncio.sleep(0.1)  # this call begins after the response was received
    assert not isinstance(await quick.admit(Waiter(key="issue 1")), Shared)
    for each in (slow, quick):
        await each.aclose()


@on_virtual_time
async def test_a_caller_with_a_deadline_does_not_wait_for_another_process_for_longer():
    storage, loop = CountingStorage(), asyncio.get_running_loop()
    one, two = controller_on(storage), controller_on(storage)
    permit = await one.admit(Waiter(key="x"))
    began = loop.time()
    with pytest.raises(RateLimitError):
        await admit(two, Waiter(key="x"), max_wait=2)
    assert loop.time() - began <= 2.5
    one.release(permit)
    assert not isinstance(await admit(two, Waiter(key="x"), max_wait=2), Shared)
    for each in (one, two):
        await each.aclose()


@on_virtual_time
async def test_the_quota_says_what_the_server_said_and_what_is_a_guess():
    client = Client(Server(limit=30))
    assert client.controller.last_quota is None
    first = await client.controller.quota()
    assert not first.burst.known
    assert first.burst.limit == 20
    await client.call()
    await asyncio.sleep(0.1)
    last = client.controller.last_quota
    assert last.burst.known
    assert (last.burst.limit, last.burst.remaining) == (30, 29)
    assert 59 <= last.burst.resets_in <= 61
    assert last.rejected == 0
    await client.controller.aclose()


@on_virtual_time
async def test_connect_timeouts_after_many_failures_are_explained():
    controller = controller_on(CountingStorage())
    await answer(controller)
    for _ in range(5):
        await answer(controller, status=403)
    await asyncio.sleep(400)
    for _ in range(3):
        assert controller.explain_timeouts() is None
        permit = await controller.admit(Waiter())
        controller.settle(permit, RequestEnd(EndKind.CONNECT_TIMEOUT, error=OSError()))
        await asyncio.sleep(1)
    assert "24 hours" in controller.explain_timeouts()
    assert (await controller.quota()).burst.remaining == 20, "nothing was sent"
    await answer(controller)
    assert controller.explain_timeouts() is None
    await controller.aclose()


@on_virtual_time
async def test_bulk_is_never_starved_by_normal():
    server, took, loop = Server(), [], asyncio.get_running_loop()
    client = Client(server)

    async def patient():
        began = loop.time()
        await client.call(Priority.BULK)
        took.append(loop.time() - began)

    async with asyncio.TaskGroup() as group:
        group.create_task(saturate(client, 30, 900))
        for _ in range(5):
            group.create_task(patient())
    await client.controller.aclose()
    assert max(took) < 6 * 121
    assert server.rejected == []


@on_virtual_time
async def test_an_unexpected_failure_of_a_storage_is_a_storage_error(caplog):
    class Broken(CountingStorage):
        async def transact(self, account, address, decide):
            raise ZeroDivisionError

    controller = controller_on(Broken())
    with pytest.raises(StorageError) as caught:
        await controller.admit(Waiter())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "failed" in caplog.text
    with pytest.raises(StorageError):
        await controller.quota()
    await controller.aclose()


@on_virtual_time
async def test_accounts_that_wait_at_one_address_look_one_at_a_time():
    """Hundreds of them kept a storage busy with looks, so that none was served."""
    loop, storage = asyncio.get_running_loop(), CountingStorage(0.005)
    controllers = [controller_on(storage, f"account {number}") for number in range(100)]

    async def call(controller, seconds):
        permit = await controller.admit(Waiter())
        await asyncio.sleep(seconds)
        controller.settle(permit, RequestEnd.answered(200, {}))

    for _ in range(2):  # unproven, where two at a time may try, and proven, where nine may be sent
        began, before = loop.time(), storage.looks
        calls = asyncio.gather(*(call(controller, 0.5) for controller in controllers[:99]))
        impatient = asyncio.ensure_future(controllers[99].admit(Waiter()))
        await asyncio.sleep(0.3)
        impatient.cancel()
        await calls
        assert loop.time() - began < 40, storage.looks
        assert storage.looks - before < 100 * 6, loop.time() - began
        await asyncio.sleep(5)
    for controller in controllers:
        await controller.aclose()
