"""Lists: lazy, in order, and honest, whatever the server does."""

import asyncio
import gc
import inspect
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.virtual import virtual
from support.world import client, idle, paths

from metron_async import (
    AsyncMetron,
    DecodeError,
    IncompleteListError,
    IncompleteListWarning,
    NotFoundError,
    PaginationError,
    ServerError,
    UsageError,
)
from metron_async._engine.messages import Answer
from metron_async.lists.pagination import RowList
from metron_async.lists.proof import Sighting
from metron_async.lists.tracker import SeenIds
from metron_async.models import PageBody, Role
from metron_async.testing import FakeMetron, Fault
from metron_async.types import Origin, Page, Source

ORIGIN = Origin(Source.NETWORK)


class Server:
    """Pages by number, each a list of ids; what is not there is a 404."""

    def __init__(self, pages, *, count=None, counts=None, links=None, keep=None):
        self.pages = pages
        self.counted = sum(map(len, pages)) if count is None else count
        self.counts = counts or {}
        self.links = links or {}
        self.keep = keep or (lambda _: True)
        self.asked, self.forgotten = [], []

    async def fetch(self, number, *, announced=True):
        self.asked.append(number)
        await asyncio.sleep(0)
        if not 1 <= number <= len(self.pages):
            msg = "Not found"
            raise NotFoundError(msg, path=f"role/?page={number}", status=404)
        more = f"https://metron.cloud/api/role/?page={number + 1}"
        link = more if number < len(self.pages) else None
        body = PageBody[Role](
            count=self.counts.get(number, self.counted),
            next=self.links.get(number, link),
            previous=None,
            results=[Role(id=rid, name=str(rid)) for rid in self.pages[number - 1]],
        )
        return Answer(body, ORIGIN, 0.0)

    target = "role/"

    async def count(self):
        return (await self.fetch(1)).value.count

    async def forget(self, numbers):
        self.forgotten += numbers

    def kept(self, rows):
        return [row for row in rows if self.keep(row)]

    traced = False

    def strict(self):
        return self

    def uncached(self):
        return self

    def sighting(self, row):
        return Sighting(row.id, row)

    def list(self):
        return RowList(self)


async def ids(listed, **options):
    return [row.id async for row in listed.rows(**options)]


# -- The plain case -----------------------------------------------------------------------------


async def test_it_is_lazy_and_fetches_no_page_ahead():
    server = Server([[1, 2], [3, 4], [5]])
    listed = server.list()
    assert repr(listed) == "RowList('role/')"
    assert not server.asked
    rows = aiter(listed)
    assert not server.asked
    assert [(await anext(rows)).id for _ in range(2)] == [1, 2]
    assert server.asked == [1]
    assert (await anext(rows)).id == 3
    assert server.asked == [1, 2]
    await rows.aclose()
    assert listed.missing is None


async def test_every_way_to_read_it():
    server = Server([[1, 2], [3, 4], [5]])
    listed = server.list()
    assert [row.id async for row in listed] == [1, 2, 3, 4, 5]
    assert listed.missing == 0
    assert [row.id for row in await listed.collect()] == [1, 2, 3, 4, 5]
    assert (await listed.first()).id == 1
    assert await listed.count() == 5
    pages = [page async for page in listed.pages()]
    assert [(page.number, len(page), page.count, page.has_next) for page in pages] == [
        (1, 2, 5, True),
        (2, 2, 5, True),
        (3, 1, 5, False),
    ]
    assert repr(pages[0]) == "Page(1, 2 of 5 rows)"
    assert all(page.origin is ORIGIN for page in pages)
    page = await listed.page(2)
    assert isinstance(page, Page)
    assert [row.id for row in page.rows] == [3, 4]
    assert page.has_next


async def test_a_notebook_shows_a_page_as_a_table():
    pages = [[1, 2], [3]]
    html = (await Server(pages, count=1234).list().page(1))._repr_html_()
    assert html.startswith("<table><caption>Page 1, 2 of 1,234 rows</caption>")
    assert html.count("<tr>") == 3
    assert "Page 1, 0 of 0 rows" in (await Server([[]]).list().page(1))._repr_html_()


@pytest.mark.parametrize(
    ("limit", "got", "asked"),
    [(0, [], []), (1, [1], [1]), (2, [1, 2], [1]), (3, [1, 2, 3], [1, 2]), (99, [1, 2, 3], [1, 2])],
)
async def test_a_limit_costs_no_page_beyond_it(limit, got, asked):
    server = Server([[1, 2], [3]])
    assert [row.id for row in await server.list().collect(limit=limit)] == got
    assert server.asked == asked


async def test_an_empty_list():
    server = Server([[]])
    listed = server.list()
    assert await ids(listed) == []
    assert await listed.first() is None
    assert await listed.count() == 0
    assert listed.missing == 0


@pytest.mark.parametrize("number", [0, -1, 1.0, True, "1", None])
async def test_pages_have_numbers(number):
    listed = Server([[1]]).list()
    with pytest.raises(UsageError, match="whole number from 1"):
        await listed.page(number)
    with pytest.raises(UsageError, match="whole number from 1"):
        await ids(listed, start=number)


async def test_a_negative_limit_is_refused():
    with pytest.raises(UsageError, match="limit"):
        await Server([[1]]).list().collect(limit=-1)


async def test_a_walk_is_resumed_by_its_page():
    server = Server([[1, 2], [3, 4], [5]])
    listed = server.list()
    assert await ids(listed, start=2) == [3, 4, 5]
    assert listed.missing == 0
    assert await ids(listed, start=3, strict=True) == [5]
    with pytest.raises(NotFoundError):
        await ids(listed, start=4)
    with pytest.raises(NotFoundError):
        await listed.page(4)


async def test_a_resumed_walk_misses_what_is_missing():
    server = Server([[1, 2], [3, 4], [5]], count=7)
    with pytest.raises(IncompleteListError) as caught:
        await ids(server.list(), start=2, strict=True)
    assert caught.value.missing == 2


async def test_rows_can_be_left_out_without_being_missed():
    listed = Server([[1, 2], [3, 4]], keep=lambda row: row.id % 2).list()
    assert await ids(listed) == [1, 3]
    assert listed.missing == 0
    assert [row.id for row in (await listed.page(2)).rows] == [3]


async def test_walks_at_the_same_time_do_not_disturb_each_other():
    server = Server([[1, 2], [3, 4], [5]])
    listed = server.list()
    both = await asyncio.gather(ids(listed), ids(listed))
    assert both == [[1, 2, 3, 4, 5]] * 2


# -- Hostile servers ----------------------------------------------------------------------------


async def test_a_row_given_twice_is_given_once_and_the_lost_one_is_told():
    listed = Server([[1, 2], [2, 3], [5]], count=5).list()
    with pytest.warns(IncompleteListWarning, match="1 row is missing"):
        assert await ids(listed) == [1, 2, 3, 5]
    assert listed.missing == 1
    with pytest.raises(IncompleteListError) as caught:
        await ids(listed, strict=True)
    assert caught.value.missing == 1
    assert caught.value.path == "role/"
    with pytest.raises(IncompleteListError):
        await listed.collect(strict=True)


async def test_the_warning_points_to_the_code_that_iterates():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await Server([[1]], count=2).list().collect()
        async for _ in Server([[1]], count=2).list():
            pass
        async for _ in Server([[1]], count=2).list().pages():
            pass
    assert [one.filename for one in caught] == [__file__] * 3


@pytest.mark.parametrize(
    ("pages", "links", "message", "got"),
    [
        ([[1, 2], [1, 2], [5]], {}, "repeats rows", [1, 2]),
        ([[1, 2], [], [5]], {}, "is empty", [1, 2]),
        ([[], [1]], {}, "is empty", []),
        ([[1, 2], [3]], {1: "https://metron.cloud/api/role/?page=1"}, "names page 1", []),
        ([[1, 2], [3]], {1: "https://metron.cloud/api/role/"}, "names page None", []),
        ([[1, 2], [3]], {1: "https://metron.cloud/api/role/?page=9"}, "names page 9", []),
        ([[1, 2], [3]], {1: "?page=x"}, "names page None", []),
        ([[1, 2], [3]], {1: "?page=-2"}, "names page None", []),
        ([[1, 2], [3]], {1: "?page=" + "9" * 5000}, "names page None", []),
        ([[1, 2], [3]], {1: "?page=²"}, "names page None", []),
        ([[1, 2], [3]], {1: "http://[::1"}, "names page None", []),
        ([[1, 2], [3]], {1: ""}, "names page None", []),
        ([[1, 2], [3]], {2: "https://metron.cloud/api/role/?page=2"}, "names page 2", [1, 2]),
    ],
)
async def test_a_list_without_a_right_way_on_is_an_error(pages, links, message, got):
    server = Server(pages, links=links)
    given = []

    async def walk():
        async for row in server.list():
            given.append(row.id)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(PaginationError, match=message) as caught:
        await walk()
    assert given == got
    assert caught.value.path == "role/"
    assert len(server.asked) <= len(pages)


@pytest.mark.parametrize(
    "link", ["https://evil.example/api/role/?page=2", "http://metron.cloud/?page=2", "?page=2"]
)
async def test_where_next_points_does_not_matter(link):
    server = Server([[1, 2], [3]], links={1: link})
    assert await ids(server.list()) == [1, 2, 3]
    assert server.asked == [1, 2]


async def test_a_list_that_shrinks_says_that_rows_may_be_lost():
    """A row of page 1 is deleted, so that another moves from page 2 to page 1, unseen."""
    server = Server([[1, 2], [4, 5]], counts={1: 5, 2: 4})
    with pytest.warns(IncompleteListWarning):
        assert await ids(server.list()) == [1, 2, 4, 5]
    server = Server([[1, 2]], count=4, links={1: "?page=2"})  # and page 2 is gone
    with pytest.warns(IncompleteListWarning, match="2 rows are"):
        assert await ids(server.list()) == [1, 2]


async def test_a_list_that_grows_says_so_too():
    server = Server([[1, 2], [2, 3]], counts={1: 3, 2: 4})
    with pytest.warns(IncompleteListWarning, match="1 row is"):
        assert await ids(server.list()) == [1, 2, 3]
    server = Server([[1, 2], [3, 4]], counts={1: 3, 2: 4})  # at its end
    assert await ids(server.list(), strict=True) == [1, 2, 3, 4]


@pytest.mark.parametrize(("count", "missing"), [(10**18, 10**18 - 3), (-5, 0), (0, 0)])
async def test_counts_that_cannot_be(count, missing):
    listed = Server([[1, 2], [3]], count=count).list()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert await ids(listed) == [1, 2, 3]
    assert listed.missing == missing


async def test_negative_and_huge_ids_are_ids():
    pages = [[-1, -2, 0], [2**62, -(2**62), -1], [255, 256, 257]]
    with pytest.warns(IncompleteListWarning, match="1 row"):
        got = await ids(Server(pages).list())
    assert got == [-1, -2, 0, 2**62, -(2**62), 255, 256, 257]


async def test_a_list_without_end_is_ended():
    class Endless(Server):
        async def fetch(self, number, *, announced=True):
            self.pages = [[*range(100 * page, 100 * page + 100)] for page in range(number + 1)]
            return await super().fetch(number, announced=announced)

    server = Endless([[]], count=300)
    with pytest.raises(PaginationError, match="goes on after"):
        await ids(server.list())
    assert len(server.asked) == 14


@given(
    pages=st.lists(st.lists(st.integers(-3, 12), max_size=5), min_size=1, max_size=6),
    count=st.integers(-2, 40),
    links=st.dictionaries(
        st.integers(1, 6), st.sampled_from(["", "?page=1", "?page=2", "?page=3", "x", None])
    ),
    start=st.integers(1, 3),
)
@settings(max_examples=300, deadline=None)
def test_no_server_makes_it_loop_repeat_or_lose_in_silence(pages, count, links, start):
    server = Server(pages, count=count, links=links)
    listed = server.list()
    given_ids, ended = [], None

    async def main():
        async for row in listed.rows(start=start):
            given_ids.append(row.id)  # noqa: PERF401 - what came before an error counts

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            asyncio.run(main())
        except (PaginationError, NotFoundError) as error:
            ended = error
    assert len(given_ids) == len(set(given_ids))
    assert len(server.asked) <= len(pages) + 1
    assert server.asked == [*range(start, start + len(server.asked))]
    there = {rid for number in server.asked if number <= len(pages) for rid in pages[number - 1]}
    assert set(given_ids) <= there
    if ended is None:
        assert set(given_ids) == there
        if start == 1:
            assert bool(told) is (len(given_ids) < max(0, count))


@given(st.lists(st.integers(-(2**63), 2**63) | st.integers(-600, 600)))
def test_seen_ids_are_a_set(numbers):
    seen, plain = SeenIds(), set()
    for number in numbers:
        assert seen.add(number) is (number not in plain)
        plain.add(number)


# -- The last rows -------------------------------------------------------------------------------


async def last_ids(server, n):
    return [row.id for row in await server.list().last(n)]


async def test_the_last_rows_of_a_list_that_the_client_filters_too():
    """The page size was taken from the rows that were kept, so the last page was not found."""
    rows = [[*range(page * 10, page * 10 + 10)] for page in range(9)]
    server = Server(rows, keep=lambda row: row.id == 0 or row.id > 85)
    assert await last_ids(server, 2) == [88, 89]
    assert server.asked == [1, 9]
    server = Server(rows, keep=lambda row: row.id > 85)
    assert await last_ids(server, 2) == [88, 89]
    assert server.asked == [1, 9]


async def test_a_list_that_has_become_much_shorter_is_counted_again():
    """It was walked down from its old end, one 404 after the other."""
    server = Server([[1, 2], [3, 4], [5]], counts={1: 100})
    fetch = server.fetch

    async def shrinking(number, *, announced=True):
        if len(server.asked) == 2:
            server.counts = {}
        return await fetch(number, announced=announced)

    server.fetch = shrinking
    assert await last_ids(server, 1) == [5]
    assert server.asked == [1, 50, 1, 3]


async def test_a_count_that_stays_wrong_and_a_next_that_is_not_there_end():
    assert await last_ids(Server([[1, 2], [3]], count=5), 1) == [3]
    server = Server([[1, 2], [3, 4]], counts={1: 5}, links={2: "?page=3"})
    assert await last_ids(server, 1) == [4]
    assert server.asked == [1, 3, 1, 2]
    server = Server([[1, 2]], links={1: "?page=2"})
    server.pages[0].append(3)
    assert await last_ids(server, 1) == [3]


# -- Breaking off -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["rows", "pages", "iter"])
async def test_breaking_off_leaves_nothing(way):
    server = Server([[1, 2], [3, 4], [5]])
    listed = server.list()
    before = asyncio.all_tasks()
    source = listed if way == "iter" else getattr(listed, way)()
    async for _ in source:
        break
    del source
    gc.collect()
    for _ in range(3):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert server.asked == [1]


async def test_iterators_can_be_closed():
    rows = Server([[1, 2], [3]]).list().rows()
    assert inspect.isasyncgen(rows) or hasattr(rows, "aclose")
    assert (await anext(rows)).id == 1
    await rows.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(rows)


# -- Against the fake server --------------------------------------------------------------------


def scenario(run, *, issues=250, cache=None, **options):
    async def main():
        fake = FakeMetron(issues=issues)
        async with client(fake, cache=cache, **options) as metron:
            await run(fake, metron)
            await idle(metron)
            assert all(asked.headers["host"] == "metron.cloud" for asked in fake.requests)

    virtual(main())


def test_a_walk_costs_a_request_a_page():
    async def run(fake, metron):
        rows = [row.id async for row in metron.issues.iter()]
        assert len(rows) == len(set(rows)) == 250
        assert paths(fake) == ["issue/"] * 3
        assert [asked.params.get("page") for asked in fake.requests] == [None, "2", "3"]
        assert (await metron.issues.iter().first()).id == rows[0]
        assert await metron.issues.iter().count() == 250
        assert len(fake.requests) == 5

    scenario(run)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.repeated_page(), PaginationError),
        (Fault.looping_next(), PaginationError),
        (Fault.detail_instead(), DecodeError),
        (Fault.json(lambda body: body["results"]), DecodeError),
        (Fault.json(lambda body: body | {"results": None}), DecodeError),
        (Fault.json(lambda body: body | {"results": [{"id": "x"}]}), DecodeError),
        (Fault.json(lambda body: body | {"count": "many"}), DecodeError),
        (Fault.json(lambda body: body | {"results": []}), PaginationError),
    ],
    ids=range(8),
)
def test_a_page_that_cannot_be_is_an_error(fault, error):
    async def run(fake, metron):
        fake.faults.add(fault, skip=1, times=None)
        with pytest.raises(error) as caught:
            await metron.issues.iter().collect()
        assert caught.value.path.startswith("issue/")
        assert len(fake.requests) <= 3

    scenario(run)


@pytest.mark.parametrize("fault", [Fault.foreign_next(), Fault.http_next()])
def test_a_foreign_next_gets_no_credentials(fault):
    async def run(fake, metron):
        fake.faults.add(fault, times=None)
        assert len(await metron.issues.iter().collect(strict=True)) == 250
        assert len(fake.requests) == 3 + 1  # the last one proves the others

    scenario(run)


@pytest.mark.parametrize(
    "fault", [Fault.lost_rows(3), Fault.recounted(3), Fault.recounted(10**9)], ids=range(3)
)
def test_losses_are_told(fault):
    async def run(fake, metron):
        fake.faults.add(fault, skip=2)
        with pytest.warns(IncompleteListWarning):
            rows = await metron.issues.iter().collect()
        assert len(rows) >= 247
        fake.faults.add(fault, skip=2, times=None)  # a second look would heal a single loss
        with pytest.raises(IncompleteListError):
            await metron.issues.iter().collect(strict=True)

    scenario(run)


def test_a_row_deleted_on_a_page_already_read_is_told():
    async def run(fake, metron):
        first = (await metron.issues.iter().page(1)).rows[3].id
        fake.faults.add(Fault.during(lambda: fake.delete("issue", first)), skip=1)
        with pytest.warns(IncompleteListWarning, match="1 row"):
            rows = await metron.issues.iter().collect()
        assert len(rows) == 249

    scenario(run)


def test_a_failure_in_the_middle_is_the_callers_to_handle():
    async def run(fake, metron):
        fake.faults.add(Fault.status(500), skip=1, times=3)
        given_ids = []

        async def walk():
            async for row in metron.issues.iter():
                given_ids.append(row.id)  # noqa: PERF401 - what came before the error counts

        with pytest.raises(ServerError):
            await walk()
        assert len(given_ids) == 100
        rest = [row.id async for row in metron.issues.iter().rows(start=2)]
        assert len({*given_ids, *rest}) == 250

    scenario(run)


def test_breaking_off_costs_no_more_than_what_was_read():
    async def run(fake, metron):
        async for _ in metron.issues.iter():
            break
        gc.collect()
        await asyncio.sleep(100)
        assert len(fake.requests) == 1

    scenario(run)


def test_lists_are_served_from_the_cache_for_two_minutes():
    async def run(fake, metron):
        for wait, requests in ((0, 3), (100, 3), (30, 6)):
            await asyncio.sleep(wait)
            pages = [page async for page in metron.issues.iter().pages()]
            assert len(fake.requests) == requests
            sources = {page.origin.source for page in pages}
            assert sources == {Source.CACHE if wait == 100 else Source.NETWORK}

    scenario(run, cache=":memory:")


def test_a_new_user_has_no_lists_yet():
    async def main():
        fake = FakeMetron(issues=60)
        fake.add_account("new", "new-password", "new-token")
        async with AsyncMetron(token="new-token", transport=fake.transport()) as metron:
            assert await metron.pull_list.get() is None
            assert await metron.wish_list.get() is None
            assert await metron.pull_list.series().collect() == []
            assert await metron.wish_list.items().collect() == []
        async with client(fake) as metron:
            mine = await metron.pull_list.get()
            assert mine.id
            assert (await metron.pull_list.get(mine.id)).id == mine.id
            assert metron.origin_of(mine).source is Source.NETWORK
            assert (await metron.wish_list.get()).id

    virtual(main())
