"""The recorded writes and their failures, replayed against the client and the fake server."""

import base64
import contextlib
import inspect
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from support.exchanges import EXCHANGES, PNG, Recorded, body_of, client_of
from support.virtual import on_virtual_time

from metron_async import (
    Added,
    AsyncMetron,
    NotFoundError,
    PermissionDeniedError,
    StatusError,
    UsageError,
    ValidationError,
)
from metron_async import models as m
from metron_async.testing import FakeMetron

COVER = m.Upload(PNG, name="cover.png")
DAY = date(2024, 5, 1)

CALLS = {
    "collection.scrobble.created": lambda c: c.collection.scrobble(
        2900, date_read=datetime(2026, 1, 8, 14, 30, tzinfo=UTC), rating=4
    ),
    "collection.scrobble.updated": lambda c: c.collection.scrobble(2900),
    "collection.add.created": lambda c: c.collection.add(
        2901,
        grade=9.8,
        grading_company="CGC",
        purchase_price=Decimal("49.99"),
        purchase_store="Local Comic Shop",
    ),
    "collection.add.existing": lambda c: c.collection.add(2901),
    "collection.rate": lambda c: c.collection.rate(242, 5),
    "collection.rate.cleared": lambda c: c.collection.rate(242, None),
    "collection.delete": lambda c: c.collection.remove(242),
    "pull_list.add.created": lambda c: c.pull_list.add_series(50),
    "pull_list.add.existing": lambda c: c.pull_list.add_series(50),
    "pull_list.add.missing": lambda c: c.pull_list.add_series(999999),
    "pull_list.remove": lambda c: c.pull_list.remove_series(50),
    "pull_list.remove.missing": lambda c: c.pull_list.remove_series(50),
    "wish_list.add.created": lambda c: c.wish_list.add(
        2910, priority=1, max_price=m.Price(Decimal("12.50"), "GBP"), notes="né"
    ),
    "wish_list.add.existing": lambda c: c.wish_list.add(2910),
    "wish_list.acquire": lambda c: c.wish_list.acquire(
        41, purchase_price=Decimal("9.99"), purchase_date=date(2026, 1, 2)
    ),
    "wish_list.remove": lambda c: c.wish_list.remove(41),
    "wish_list.remove.missing": lambda c: c.wish_list.remove(41),
    "arc.create": lambda c: c.arcs.create(m.ArcInput(name="Recorded Arc", desc="d", image=COVER)),
    "arc.update": lambda c: c.arcs.update(30, m.ArcInput(desc="patched")),
    "arc.create.forbidden": lambda c: c.arcs.create(m.ArcInput(name="x")),
    "character.create": lambda c: c.characters.create(
        m.CharacterInput(
            name="Recorded Hero", alias=["A", "B"], creators=[1, 2], teams=[1], universes=[1]
        )
    ),
    "character.update": lambda c: c.characters.update(2, m.CharacterInput(alias=["Z"])),
    "creator.create": lambda c: c.creators.create(
        m.CreatorInput(name="Recorded Creator", birth=date(1980, 1, 1), alias=["RC"], image=COVER)
    ),
    "creator.update": lambda c: c.creators.update(2, m.CreatorInput(death=date(2020, 2, 3))),
    "imprint.create": lambda c: c.imprints.create(
        m.ImprintInput(name="Recorded Imprint", publisher=1)
    ),
    "imprint.update": lambda c: c.imprints.update(2, m.ImprintInput(founded=1999)),
    "publisher.create": lambda c: c.publishers.create(
        m.PublisherInput(name="Recorded Press", country="GB")
    ),
    "publisher.update": lambda c: c.publishers.update(2, m.PublisherInput(desc="patched")),
    "team.create": lambda c: c.teams.create(
        m.TeamInput(name="Recorded Team", creators=[1], universes=[1])
    ),
    "team.update": lambda c: c.teams.update(30, m.TeamInput(desc="patched")),
    "universe.create": lambda c: c.universes.create(
        m.UniverseInput(name="Recorded Universe", publisher=1, designation="77")
    ),
    "universe.update": lambda c: c.universes.update(2, m.UniverseInput(desc="patched")),
    "series.create": lambda c: c.series.create(
        m.SeriesInput(
            name="Recorded Series",
            sort_name="Recorded Series",
            volume=1,
            year_began=2024,
            series_type=1,
            status=1,
            publisher=1,
            genres=[1],
            language="it",
        )
    ),
    "series.update": lambda c: c.series.update(
        201, m.SeriesInput(year_end=2025, associated=[1, 2])
    ),
    "issue.create": lambda c: c.issues.create(
        m.IssueInput(
            series=201,
            number="1",
            cover_date=DAY,
            price=m.Price(Decimal("3.99"), "GBP"),
            characters=[1, 2],
            story_titles=["One", "Two"],
        )
    ),
    "issue.create.image": lambda c: c.issues.create(
        m.IssueInput(
            series=201,
            number="2",
            cover_date=date(2024, 6, 1),
            price=m.Price(Decimal("3.99"), "EUR"),
            characters=[1, 2],
            story_titles=["Uno"],
            image=COVER,
        )
    ),
    "issue.update": lambda c: c.issues.update(2998, m.IssueInput(price=Decimal("5.99"), arcs=[1])),
    "issue.create.duplicate": lambda c: c.issues.create(
        m.IssueInput(series=201, number="1", cover_date=DAY)
    ),
    "credit.create": lambda c: c.credits.create(
        [
            m.CreditInput(issue=2998, creator=1, role=[1, 2]),
            m.CreditInput(issue=2998, creator=2, role=[3]),
        ]
    ),
    "credit.create.duplicate": lambda c: c.credits.create(
        m.CreditInput(issue=2998, creator=1, role=[number]) for number in [1]
    ),
    "variant.create": lambda c: c.variants.create(
        m.VariantInput(issue=2998, name="Foil", sku="V1", upc="1", image=COVER)
    ),
    "variant.update": lambda c: c.variants.update(1, m.VariantInput(name="Foil B")),
    "throttle.forbidden_does_not_count": lambda c: c.publishers.create(m.PublisherInput(name="x")),
}
"""How to ask for what was recorded."""

REFUSED = {
    "collection.scrobble.invalid": (lambda c: c.collection.scrobble(1, rating=9), "rating"),
    "collection.rate.invalid": (lambda c: c.collection.rate(242, 11), "rating"),
    "arc.create.invalid": (lambda c: c.arcs.create(m.ArcInput(desc="no name")), "name"),
    "series.create.invalid": (
        lambda c: c.series.create(m.SeriesInput(name="x", status=99, publisher=424242)),
        "status",
    ),
    "issue.create.bad_currency": (
        lambda c: c.issues.create(
            m.IssueInput(series=1, number="3", cover_date=DAY, price=m.Price(Decimal(1), "XXX"))
        ),
        "price",
    ),
}
"""What the server refused is refused by the client, before anything is sent."""

IMPOSSIBLE = {"arc.create.json_refused", "method.not_allowed"}
"""What this client has no way to ask."""

FAILURES = {
    name: EXCHANGES[name]
    for name in [*CALLS, *REFUSED]
    if EXCHANGES[name]["response"]["status"] >= 400
}
ANY_CALL = CALLS["issue.update"]


def test_every_recorded_write_is_here():
    writes = {name for name, found in EXCHANGES.items() if found["request"]["method"] != "GET"}
    assert {*CALLS, *REFUSED, *IMPOSSIBLE} == writes


def sent_as_recorded(asked):
    """Return a recorded request's body in the form in which the client's is read back."""
    if "json" in asked:
        return {"json": asked["json"]}
    found = {}
    if "form" in asked:
        found["form"] = {
            name: [str(item) for item in (value if isinstance(value, list) else [value])]
            for name, value in asked["form"].items()
        }
    if "files" in asked:
        found["files"] = {
            name: ("cover.png", "image/png", base64.b64decode(content))
            for name, content in asked["files"].items()
        }
    return found


@pytest.mark.parametrize("name", CALLS)
@on_virtual_time
async def test_what_is_sent_is_what_was_recorded(name):
    exchange = EXCHANGES[name]
    recorded = Recorded(exchange)
    async with AsyncMetron(token="t", transport=recorded, cache=None) as client:
        with contextlib.suppress(StatusError):
            await CALLS[name](client)
    [request] = recorded.asked
    asked = exchange["request"]
    assert (request.method, request.url.path) == (asked["method"], asked["path"])
    assert not request.url.query
    sent = body_of(request.headers.get("content-type", ""), request.content)
    if name == "collection.scrobble.created":
        told, meant = sent["json"].pop("date_read"), asked["json"]["date_read"]
        assert datetime.fromisoformat(told) == datetime.fromisoformat(meant)
        asked = asked | {"json": {k: v for k, v in asked["json"].items() if k != "date_read"}}
    assert sent == sent_as_recorded(asked)
    if request.content:
        assert int(request.headers["content-length"]) == len(request.content)


@pytest.mark.parametrize(
    "name", [name for name in CALLS if EXCHANGES[name]["response"]["status"] < 300]
)
@on_virtual_time
async def test_what_was_answered_is_what_is_given(name):
    response = EXCHANGES[name]["response"]
    recorded = Recorded(EXCHANGES[name])
    async with AsyncMetron(token="t", transport=recorded, cache=None) as client:
        given = await CALLS[name](client)
    if isinstance(given, Added):
        assert given.created is (response["status"] == 201)
        given = given.item
    assert_same(given, response["body"])


def assert_same(given, body):
    """Every field that the server sent is there, under its own name or the better one."""
    if isinstance(body, dict):
        names = {field.encode_name: field.name for field in msgspec.structs.fields(type(given))}
        for name, value in body.items():
            assert_same(getattr(given, names[name]), value)
    elif isinstance(body, list):
        assert len(given) == len(body)
        for one, other in zip(given, body, strict=True):
            assert_same(one, other)
    elif isinstance(given, datetime):
        assert given == datetime.fromisoformat(body)
    elif isinstance(given, date):
        assert given.isoformat() == body
    elif isinstance(given, Decimal):
        assert str(given) == body
    else:
        assert given == body


@pytest.mark.parametrize("name", FAILURES)
@on_virtual_time
async def test_recorded_failures_say_what_the_server_said(name):
    response = FAILURES[name]["response"]
    recorded = Recorded(FAILURES[name])
    async with AsyncMetron(token="t", transport=recorded, cache=None) as client:
        with pytest.raises(StatusError) as caught:
            await CALLS.get(name, ANY_CALL)(client)
    kinds = {400: ValidationError, 403: PermissionDeniedError, 404: NotFoundError}
    error, body = caught.value, response["body"]
    assert type(error) is kinds[response["status"]]
    assert error.detail == body.get("detail")
    assert not error.retryable
    assert not error.outcome_unknown
    if isinstance(error, ValidationError):
        body = {
            f"{row}.{field}" if row.isdigit() else row: tuple(messages)
            for row, found in body.items()
            for field, messages in (found.items() if isinstance(found, dict) else [("", found)])
        }
        assert error.fields == body


@pytest.mark.parametrize("name", REFUSED)
@on_virtual_time
async def test_what_is_known_to_be_refused_costs_nothing(name):
    call, field = REFUSED[name]
    recorded = Recorded(EXCHANGES[name])
    async with AsyncMetron(token="t", transport=recorded, cache=None) as client:
        with pytest.raises(UsageError, match=field):
            await call(client)
    assert not recorded.asked


@pytest.fixture(scope="module")
def fake():
    return FakeMetron(issues=2997, bans=False, throttle=False)


IN_ORDER = [name for name in EXCHANGES if name in CALLS and not name.startswith("throttle")]


def test_the_fake_server_answers_the_client_as_the_server_did(fake):
    """All of them on one fake server, in the order of the recording, ids translated."""
    seen = {}

    @on_virtual_time
    async def replay():
        clients = {name: client_of(fake, name) for name in ("reader", "editor", "reader2")}
        for name in IN_ORDER:
            client = clients[EXCHANGES[name]["account"]]
            try:
                seen[name] = await CALLS[name](Translating(client, seen))
            except StatusError as error:
                seen[name] = error
        for client in clients.values():
            await client.aclose()

    replay()
    for name in IN_ORDER:
        expected, given = EXCHANGES[name]["response"], seen[name]
        if expected["status"] >= 400:
            assert given.status == expected["status"], name
            assert given.detail == expected["body"].get("detail"), name
        elif isinstance(given, Added):
            assert given.created is (expected["status"] == 201), name
        elif "created" in (expected["body"] or {}):
            assert given.created is expected["body"]["created"], name
        elif expected["body"] is None:
            assert given is None, name
    assert [row.creator for row in seen["credit.create"]] == [1, 2]
    assert list(seen["credit.create.duplicate"].fields) == ["0.non_field_errors"]


class Translating:
    """A client for recorded calls, whose ids are those of the fake server's objects."""

    def __init__(self, client, seen):
        self.client = client
        self.ids = {
            242: seen.get("collection.add.created"),
            41: seen.get("wish_list.add.created"),
            201: seen.get("series.create"),
            2998: seen.get("issue.create"),
        }

    def __getattr__(self, namespace):
        return Translated(getattr(self.client, namespace), self.translate)

    def translate(self, value):
        if isinstance(value, msgspec.Struct):
            names = [name for name in ("series", "issue") if hasattr(value, name)]
            fields = {name: self.translate(getattr(value, name)) for name in names}
            return msgspec.structs.replace(value, **fields)
        if inspect.isgenerator(value) or isinstance(value, list):
            return [self.translate(item) for item in value]
        made = self.ids.get(value) if isinstance(value, int) else None
        return getattr(made, "item", made).id if made is not None else value


class Translated:
    def __init__(self, namespace, translate):
        self.namespace = namespace
        self.translate = translate

    def __getattr__(self, method):
        def call(*args, **kwargs):
            return getattr(self.namespace, method)(*map(self.translate, args), **kwargs)

        return call


def test_names_of_the_calls_say_what_they_do():
    """A create is recorded as a 201, so that the table above cannot lie about itself."""
    for name in CALLS:
        if re.search(r"\.created?$", name):
            assert EXCHANGES[name]["response"]["status"] == 201
