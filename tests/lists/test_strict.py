"""Strict lists: edits between any two requests, and a success is the list at one moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scale import scaled
from support.virtual import virtual

from metron_async import AsyncMetron, IncompleteListError, NotFoundError, Origin, PaginationError
from metron_async._engine.messages import Answer
from metron_async.errors import IncompleteListWarning
from metron_async.lists.pagination import RowList
from metron_async.lists.proof import Ledger, Sighting, all_from_the_start
from metron_async.models import PageBody
from metron_async.testing import FakeMetron, Fault
from metron_async.types import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

START = datetime(2026, 1, 1, tzinfo=UTC)


class Row(msgspec.Struct, frozen=True):
    id: int
    modified: datetime


Edit = tuple[str, int]


class Server:
    """A list that is edited before each request; it is the source of a ``RowList``, too.

    Args:
        length: Rows at first.
        size: Rows on a page.
        edits: What happens before each request: what, and where.
        traced: Whether the list shows its changes.
        cache: Whether responses are cached as the real server does, for 120 seconds.
        same_url: Whether the URL cannot be varied to come past that cache.
    """

    target = "role/"

    def __init__(
        self,
        length: int,
        size: int,
        edits: list[list[Edit]],
        *,
        traced: bool,
        cache: bool,
        same_url: bool = False,
    ) -> None:
        self.time = 1000.0
        self.list = [Row(number, START) for number in range(length)]
        self.size, self.traced, self.cache, self.same_url = size, traced, cache, same_url
        self.edits = iter(edits)
        self.states: list[frozenset[int]] = [self.ids]
        self.next_id = length
        self.requests = 0
        self.cached: dict[tuple[Any, ...], tuple[float, PageBody[Row]]] = {}

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(row.id for row in self.list)

    def edit(self, what: str, where: int) -> None:
        self.time += 2 * where if what == "wait" else 0.01
        now = START + timedelta(seconds=self.time)
        if what == "add":
            self.list.insert(where % (len(self.list) + 1), Row(self.next_id, now))
            self.next_id += 1
        elif self.list and what == "delete":
            del self.list[where % len(self.list)]
        elif self.list and what == "move":  # an edit that changes the order
            row = self.list.pop(where % len(self.list))
            self.list.insert(where // 7 % (len(self.list) + 1), Row(row.id, now))
        elif self.list and what == "touch":
            place = where % len(self.list)
            self.list[place] = Row(self.list[place].id, now)
        self.states.append(self.ids)

    async def answer(self, number: int, since: float | None, variant: float) -> Answer[Any]:
        self.requests += 1
        await asyncio.sleep(0)
        for what, where in next(self.edits, []):
            self.edit(what, where)
        if self.requests == 1 and not self.same_url:  # a cached page may be of before
            self.states = [self.ids]
        self.time += 1.0
        as_of, key = float(int(self.time)), (number, since, variant)
        at, body = self.cached.get(key, (-1e9, None))
        hit = self.cache and body is not None and self.time - at <= 120
        if body is None or not hit:
            body = self.body(number, since)
            self.cached[key] = (self.time, body)
        origin = Origin(Source.NETWORK, x_cache="HIT" if hit else "MISS")
        return Answer(body, origin, as_of - 120 if hit else as_of)

    def body(self, number: int, since: float | None) -> PageBody[Row]:
        rows = self.list
        if since is not None:
            rows = [row for row in rows if (row.modified - START).total_seconds() > since]
        part = rows[(number - 1) * self.size : number * self.size]
        if not part and number > 1:
            msg = "Not found"
            raise NotFoundError(msg, path=self.target, status=404)
        more = f"?page={number + 1}" if number * self.size < len(rows) else None
        return PageBody(count=len(rows), next=more, results=list(part))

    # --- The source of a list ---------------------------------------------------------------------

    variant = 0.0

    async def fetch(self, number: int, *, announced: bool = True) -> Answer[Any]:
        return await self.answer(number, None, self.variant)

    async def changed_since(self, seconds: float) -> Answer[Any]:
        return await self.answer(1, seconds, 0.0)

    async def forget(self, numbers: Iterable[int]) -> None:
        self.forgotten = list(numbers)

    def kept(self, rows: list[Row]) -> list[Row]:
        return rows

    def strict(self) -> Server:
        return self.uncached()

    def uncached(self) -> Server:
        if self.traced and not self.same_url:
            self.variant += 1.0
        return self

    def sighting(self, row: Row) -> Sighting:
        if not self.traced:
            return Sighting(row.id, row)
        return Sighting(row.id, None, (row.modified - START).total_seconds())


EDITS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "delete", "delete", "move", "touch", "wait"]),
            st.integers(0, 99),
        ),
        max_size=3,
    ),
    max_size=14,
)
PAIRS = st.lists(
    st.lists(st.integers(0, 99), min_size=2, max_size=2).map(
        lambda places: [("delete", places[0]), ("add", places[1])]
    )
    | st.just([]),
    max_size=14,
)


async def read(server: Server, how: str) -> list[int]:
    listed: RowList[Any] = RowList(server)  # type: ignore[arg-type]
    if how == "collect":
        return [row.id for row in await listed.collect(strict=True)]
    return [row.id async for row in listed.rows(strict=how == "rows")]


@pytest.fixture(autouse=True)
def _seconds_since_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reader see changes in the server's seconds."""
    monkeypatch.setattr(
        "metron_async.lists.strict._changes",
        lambda rows: {n: (row.modified - START).total_seconds() for n, row in rows.items()},
    )


@pytest.mark.filterwarnings("ignore::metron_async.IncompleteListWarning")
@pytest.mark.parametrize("how", ["collect", "rows"])
@pytest.mark.parametrize("traced", [True, False])
@given(
    length=st.integers(0, 13),
    size=st.integers(1, 4),
    edits=EDITS | PAIRS,
    cache=st.sampled_from(["none", "cold", "warm"]),
)
@settings(max_examples=scaled(400, 10_000), deadline=None)
def test_a_success_is_the_list_at_one_moment(  # noqa: PLR0917
    how: str, traced: bool, length: int, size: int, edits: list[list[Edit]], cache: str
) -> None:
    server = Server(length, size, edits, traced=traced, cache=cache != "none")
    server.same_url = cache == "warm"
    try:
        if cache == "warm":
            asyncio.run(read(server, "plain"))
            server.requests = 0
        found = asyncio.run(read(server, how))
    except PaginationError:
        return
    assert len(found) == len(set(found))
    assert frozenset(found) in server.states


@given(length=st.integers(0, 30), size=st.integers(1, 9), traced=st.booleans())
@settings(max_examples=60, deadline=None)
def test_without_edits_it_succeeds_at_its_price(length: int, size: int, traced: bool) -> None:
    server = Server(length, size, [], traced=traced, cache=False)
    assert asyncio.run(read(server, "rows")) == [*range(length)]
    pages = max(1, -(-length // size))
    again = 0 if pages == 1 else 1 if traced else pages - 1
    assert server.requests == pages + again <= 2 * pages


@given(length=st.integers(1, 13), size=st.integers(1, 4), edits=EDITS, traced=st.booleans())
@settings(max_examples=200, deadline=None)
def test_it_costs_at_most_twice_the_pages(
    length: int, size: int, edits: list[list[Edit]], traced: bool
) -> None:
    server = Server(length, size, edits, traced=traced, cache=False)
    listed: RowList[Any] = RowList(server)  # type: ignore[arg-type]
    pages = 0

    async def main() -> None:
        nonlocal pages
        async for page in listed.pages(strict=True):
            pages = max(pages, page.number)

    try:
        asyncio.run(main())
    except PaginationError:
        pages += 1  # a page that is not there is asked for once
    assert server.requests <= 2 * pages + 1


# --- The known losses -----------------------------------------------------------------------------


def pair(at: int, delete: int, add: int = 99, after: int = 20) -> list[list[Edit]]:
    edits: list[list[Edit]] = [[] for _ in range(after)]
    edits[at] = [("delete", delete), ("add", add)]
    return edits


@pytest.mark.parametrize("traced", [True, False])
async def test_a_deletion_hidden_by_an_addition(traced: bool) -> None:
    """It lost a row for good, with no warning and no error, also with ``strict=True``."""
    edits = pair(3, 1, 12)
    edits[3][1] = ("add", 11)
    plain: RowList[Any] = RowList(Server(12, 3, edits, traced=traced, cache=False))  # type: ignore[arg-type]
    lost = [row.id async for row in plain]
    assert 9 not in lost  # what a plain iteration cannot see
    server = Server(12, 3, edits, traced=traced, cache=False)
    if traced:
        assert set(await read(server, "collect")) == server.ids
    else:
        with pytest.raises(IncompleteListError):
            await read(server, "collect")
    with pytest.raises(IncompleteListError):
        await read(Server(12, 3, edits, traced=traced, cache=False), "rows")


async def test_an_addition_that_was_not_seen_is_found_at_the_second_look() -> None:
    edits: list[list[Edit]] = [[], [], [("add", 0)]]
    server = Server(9, 3, edits, traced=True, cache=False)
    assert set(await read(server, "rows")) == server.ids
    assert server.requests == 7  # four pages, since the list grew, and all but the last again


@pytest.mark.parametrize("touched", [0, 3])
async def test_the_look_at_the_changes_shows_a_hidden_pair(touched: int) -> None:
    """Row 4 is deleted and 9 added on a page that was read; edits fill the page of changes."""
    edits: list[list[Edit]] = [[] for _ in range(4)]
    edits[2] = [("delete", 4), ("add", 3)]
    edits[3] = [("touch", place) for place in range(touched)]
    server = Server(9, 3, edits, traced=True, cache=False)
    assert set(await read(server, "collect")) == server.ids
    assert 9 in server.ids
    assert server.requests == 6


async def test_what_cannot_be_proven_costs_twice_the_pages() -> None:
    edits: list[list[Edit]] = [[] for _ in range(4)]
    edits[2] = [("delete", 4), ("add", 3)]
    edits[3] = [("delete", 5)]  # nothing shows when: row 5 is on no page again
    server = Server(9, 3, edits, traced=True, cache=False)
    with pytest.raises(IncompleteListError):
        await read(server, "collect")
    assert server.requests == 6


async def test_changes_that_fill_a_page_prove_nothing() -> None:
    """Deletions hid the additions that did not fit on the only page of changes that was read."""
    edits: list[list[Edit]] = [[] for _ in range(13)]
    edits[0] = [("move", 38), ("move", 44), ("wait", 62)]
    edits[4] = [("wait", 3), ("delete", 93), ("add", 32)]
    edits[5] = [("add", 28), ("add", 66)]
    edits[12] = [("touch", 13), ("move", 8), ("touch", 11)]
    server = Server(10, 1, edits, traced=True, cache=False)
    assert frozenset(await read(server, "collect")) in server.states


async def test_an_addition_that_is_deleted_again_hides_no_deletion() -> None:
    """Row 1 is deleted, and 9 takes its place in the count until the second look."""
    edits: list[list[Edit]] = [[] for _ in range(5)]
    edits[2] = [("delete", 1), ("add", 0), ("add", 9)]
    edits[4] = [("delete", 0)]
    with pytest.raises(IncompleteListError):
        await read(Server(9, 3, edits, traced=True, cache=False), "collect")


async def test_additions_to_the_front_of_both_passes_are_healed() -> None:
    """Rows move to the last page, so it is looked at again."""
    edits: list[list[Edit]] = [[("add", 0)] for _ in range(7)]
    server = Server(6, 3, edits, traced=True, cache=False)
    assert frozenset(await read(server, "rows")) in server.states


# --- Against the fake server ----------------------------------------------------------------------


def client(fake: FakeMetron, **options: Any) -> AsyncMetron:
    return AsyncMetron(token=fake.token, transport=fake.transport(), **options)


@pytest.mark.parametrize("list_cache", [0.0, 120.0])
def test_pages_of_a_list_are_proven_at_the_price_of_one_request(list_cache: float) -> None:
    async def main() -> None:
        fake = FakeMetron(450, throttle=False, list_cache=list_cache)
        async with client(fake) as metron:
            for namespace in (metron.issues, metron.characters):
                fake.reset_log()
                count = await namespace.iter().count()
                rows = await namespace.iter().collect(strict=True)
                assert len(rows) == count
                pages = -(-count // 100)
                assert len(fake.requests) <= 1 + pages + (pages > 1)
            await asyncio.sleep(5)
            again = [page async for page in metron.issues.iter().pages(strict=True)]
            assert [page.number for page in again] == [1, 2, 3, 4, 5]

    virtual(main())


def edited(fake: FakeMetron, *edits: Callable[[], object]) -> Fault:
    return Fault.during(lambda: [edit() for edit in edits])


@pytest.mark.parametrize("list_cache", [0.0, 120.0])
def test_a_row_that_slipped_is_found(list_cache: float) -> None:
    async def main() -> None:
        fake = FakeMetron(450, throttle=False, list_cache=list_cache)
        async with client(fake) as metron:
            before = [row.id for row in await metron.issues.iter().collect()]
            await asyncio.sleep(300)
            fake.faults.add(
                edited(fake, lambda: fake.delete("issue", before[50])), path="/api/issue/", skip=2
            )
            with pytest.warns(IncompleteListWarning):
                plain = await metron.with_options(refresh=True).issues.iter().collect()
            assert before[200] not in {row.id for row in plain}
            await asyncio.sleep(300)
            fake.faults.add(
                edited(fake, lambda: fake.delete("issue", before[60])), path="/api/issue/", skip=2
            )
            rows = await metron.issues.iter().collect(strict=True)
            there = set(before) - {before[50], before[60]}
            assert {row.id for row in rows} == there

    virtual(main())


async def test_a_count_that_comes_from_a_cache_is_reported() -> None:
    server = Server(2, 1, [], traced=False, cache=True, same_url=True)
    assert await read(server, "plain") == [0, 1]
    with pytest.raises(IncompleteListError, match=r"cache of the server|could not be proven"):
        await read(server, "collect")


def test_a_resumed_iteration_checks_the_count_only() -> None:
    async def main() -> None:
        fake = FakeMetron(250, throttle=False)
        async with client(fake) as metron:
            rows = [row async for row in metron.issues.iter().rows(start=2, strict=True)]
            assert len(rows) == 150
            assert len(fake.requests) == 2
            one = await metron.issues.iter().collect(120, strict=True)
            assert len(one) == 120
            assert len(fake.requests) == 4  # pages 1 and 2, past the cache; nothing is proven

    virtual(main())


LISTS: dict[str, Callable[[AsyncMetron], RowList[Any]]] = {
    "whole seconds": lambda metron: metron.issues.iter(modified_gt=START - timedelta(days=9000)),
    "a part": lambda metron: metron.issues.iter(
        publisher_id=1, modified_gt=START - timedelta(days=9000, microseconds=5)
    ),
    "issues of a series": lambda metron: metron.series.issues(1),
    "issues of a character": lambda metron: metron.characters.issues(1),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_strict_look_is_past_the_server_s_cache_whatever_the_list(name: str) -> None:
    """The second look had the URL of the first where the caller gave ``modified_gt`` too."""

    async def main() -> None:
        fake = FakeMetron(250, throttle=False, list_cache=120.0, detail_cache=86_400.0)
        for issue in fake.catalogue.tables.issue.values():
            issue.series, issue.characters = 1, [1]
        async with client(fake, cache=None) as metron:
            rows = await LISTS[name](metron).collect()
            for _ in range(3):
                assert await LISTS[name](metron).collect(strict=True) == rows
            pages = 1 + (len(rows) - 1) // 100
            assert len(fake.requests) <= pages + 3 * 2 * pages
            assert pages > 1

    virtual(main())


# --- The proof itself -----------------------------------------------------------------------------


def test_a_ledger_needs_a_fresh_second_look() -> None:
    ledger = Ledger()
    first, last = [Sighting(1), Sighting(2)], [Sighting(3)]
    ledger.see(first, 3, as_of=1.0, fresh=True)
    assert not ledger.proven
    ledger.see(last, 3, as_of=2.0, fresh=True)
    assert not ledger.proven
    ledger.see_again(first, fresh=False)
    assert not ledger.proven
    ledger.see_again(first, fresh=True)
    assert ledger.proven
    assert ledger.certain == {1, 2, 3}


def test_a_count_from_a_cache_proves_nothing() -> None:
    ledger = Ledger()
    ledger.see([Sighting(1)], 2, as_of=1.0, fresh=True)
    ledger.see([Sighting(2)], 2, as_of=2.0, fresh=False)
    ledger.see_again([Sighting(1)], fresh=True)
    assert ledger.certain == {1, 2}
    assert not ledger.proven


def test_one_page_is_proven_by_itself() -> None:
    for fresh in (True, False):
        ledger = Ledger()
        ledger.see([Sighting(1)], 1, as_of=1.0, fresh=fresh)
        assert ledger.proven


def test_an_edited_row_may_have_left_and_come_back() -> None:
    ledger = Ledger()
    ledger.see([Sighting(1, "old")], 2, as_of=1.0, fresh=True)
    ledger.see([Sighting(2, "old")], 2, as_of=2.0, fresh=True)
    ledger.see_again([Sighting(1, "new", 3.0)], fresh=True)
    assert not ledger.proven
    ledger.see_again([Sighting(1, "new", 2.0)], fresh=True)  # its edit came before the moment
    assert ledger.proven


@pytest.mark.parametrize(
    ("seen", "counts", "proven"),
    [
        ({1: 0, 2: 0}, (2, 2), True),
        ({1: 5, 2: 0}, (2, 2), True),  # on the first page, so it was there
        ({1: 0, 2: 0}, (3, 3), False),  # one slipped, or the order is not total
        ({1: 0, 2: 0}, (3, 2), False),  # one was deleted
        ({1: 0, 2: 0}, (2, 3), False),  # one was added
        ({1: 0, 2: 5}, (2, 2), False),  # perhaps an addition that hides a deletion
    ],
)
def test_rows_that_did_not_change_were_there_from_the_start(
    seen: dict[int, float], counts: tuple[int, int], proven: bool
) -> None:
    assert all_from_the_start(seen, first={1}, as_of=1.0, counts=counts) is proven


@pytest.mark.parametrize("filters", [{}, {"publisher_name": "a"}], ids=str)
def test_a_filtered_list_is_proven_beside_the_servers_cache(filters: dict[str, str]) -> None:
    """The caller's own ``modified_gt`` must not take the place of what makes a new URL."""

    async def main() -> None:
        fake = FakeMetron(350, list_cache=120)
        async with AsyncMetron(fake.token, transport=fake.transport(), cache=None) as metron:
            for _ in range(2):
                listed = metron.issues.iter(modified_gt=datetime(1999, 1, 1, tzinfo=UTC), **filters)
                rows = await listed.collect(strict=True)
                assert len(rows) == await listed.count()

    virtual(main())
