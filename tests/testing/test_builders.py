"""Builders and edits: their objects are served, and wrong arguments are errors at once."""

import datetime as dt
from decimal import Decimal

import pytest
from support.bare import client_of
from support.virtual import on_virtual_time

from metron_async.testing import FakeMetron


@pytest.fixture
def fake():
    return FakeMetron(issues=0, throttle=False, today=dt.date(2026, 11, 20))


@on_virtual_time
async def test_a_catalogue_from_nothing(fake):
    publisher = fake.add_publisher("Image", founded=1992, alt_names=["Image Comics"], cv_id=513)
    imprint = fake.add_imprint("Shadowline", publisher.id, founded=1993)
    universe = fake.add_universe("Earth", publisher.id, designation="1")
    creator = fake.add_creator("Fiona Staples", birth="1985-01-01", alias=["F. S."])
    team = fake.add_team("Robots", creators=[creator.id], universes=[universe.id])
    character = fake.add_character("Alana", creators=[creator.id], teams=[team.id])
    arc = fake.add_arc("First", desc="Begins.")
    series = fake.add_series(
        "Saga", publisher=publisher.id, imprint=imprint.id, year_began=2012, genres=[1]
    )
    issue = fake.add_issue(
        series.id,
        "1",
        cover_date="2012-03-01",
        store_date=dt.date(2012, 3, 14),
        price=Decimal("2.99"),
        arcs=[arc.id],
        characters=[character.id],
        teams=[team.id],
        universes=[universe.id],
        modified="2026-01-01T12:00",
    )
    async with client_of(fake) as client:
        before = (await client.get(f"issue/{issue.id}/")).json()
        assert before["modified"] == "2026-01-01T12:00:00-05:00"
        fake.add_credit(issue.id, creator.id, [1, 5])
        fake.add_variant(issue.id, name="Foil", price="9.99", currency="GBP")
        detail = (await client.get(f"issue/{issue.id}/")).json()
        assert detail["modified"] != before["modified"]
        assert (detail["price"], detail["price_currency"]) == ("2.99", "USD")
        assert detail["store_date"] == "2012-03-14"
        assert detail["publisher"]["name"] == "Image"
        assert detail["imprint"]["name"] == "Shadowline"
        assert [row["creator"] for row in detail["credits"]] == ["Fiona Staples"]
        assert [row["name"] for row in detail["variants"]] == ["Foil"]
        for name, record in (
            ("arcs", arc),
            ("characters", character),
            ("teams", team),
            ("universes", universe),
        ):
            assert [row["id"] for row in detail[name]] == [record.id]
        found = (await client.get("issue/", params={"series_name": "saga"})).json()
        assert [row["issue"] for row in found["results"]] == ["Saga (2012) #1"]
        assert (
            (await client.get(f"series/{series.id}/"))
            .json()["resource_url"]
            .endswith("/saga-2012/")
        )


@on_virtual_time
async def test_collection_pull_list_wish_list_and_reading_list(fake):
    series = fake.add_series("Saga", year_began=2012).id
    first, second = fake.add_issue(series, "1").id, fake.add_issue(series, "2").id
    fake.add_account("ann", "password", "ann-token")
    item = fake.add_collection_item(
        first,
        user="ann",
        grade=9.8,
        grading_company="CGC",
        purchase_date="2026-01-02",
        purchase_price="4.5",
        read=["2026-01-02T12:00Z", dt.datetime(2026, 3, 1, tzinfo=dt.UTC)],
    )
    pull = fake.add_pull_list_series(series, user="ann")
    wish = fake.add_wish_list_item(second, user="ann", priority=1, max_price=Decimal(20))
    order = fake.add_reading_list("Order", [second, first], user="ann", is_private=True)
    async with client_of(fake, "ann") as client:
        detail = (await client.get(f"collection/{item.id}/")).json()
        assert (detail["purchase_price"], detail["grade"]) == ("4.50", 9.8)
        assert (detail["is_read"], detail["read_count"]) == (True, 2)
        assert detail["date_read"] == "2026-02-28T19:00:00-05:00"
        rows = (await client.get("pull_list/series/")).json()["results"]
        assert [row["id"] for row in rows] == [pull.id]
        assert (await client.get("pull_list/")).json()["results"][0]["series_count"] == 1
        rows = (await client.get("wish_list/items/")).json()["results"]
        assert [(row["id"], row["priority"]) for row in rows] == [(wish.id, 1)]
        assert (await client.get("wish_list/")).json()["count"] == 1
        items = (await client.get(f"reading_list/{order.id}/items/")).json()["results"]
        assert [row["issue"]["id"] for row in items] == [second, first]
    async with client_of(fake) as client:
        assert (await client.get(f"reading_list/{order.id}/")).status_code == 404


WRONG = {
    "text for a number": (lambda f: f.add_issue("1", "1"), TypeError, "series: expected int"),
    "number for text": (lambda f: f.add_issue(1, 5), TypeError, "number: expected str, got int"),
    "instant for a date": (
        lambda f: f.add_issue(1, "1", cover_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        TypeError,
        "cover_date: expected date",
    ),
    "no date": (
        lambda f: f.add_creator("X", birth="May 1980"),
        ValueError,
        "birth: expected a date or ISO 8601, such as '2026-11-20'",
    ),
    "no date-time": (
        lambda f: f.add_arc("X", modified="yesterday"),
        ValueError,
        "modified: expected ISO 8601, such as",
    ),
    "a text for a list": (
        lambda f: f.add_creator("X", alias="Y"),
        TypeError,
        "alias: expected array, got str",
    ),
    "unknown id": (lambda f: f.add_series("X", publisher=99), ValueError, "publisher id 99"),
    "unknown ids": (lambda f: f.add_team("X", creators=[1, 999]), ValueError, "creator id 999"),
    "unknown choice": (lambda f: f.add_series("X", status=7), ValueError, "status: expected one"),
    "display word": (
        lambda f: f.add_collection_item(1, book_format="Print"),
        ValueError,
        "book_format: expected one of 'PRINT', 'DIGITAL', 'BOTH', got 'Print'",
    ),
    "no price": (lambda f: f.add_variant(1, price="free"), ValueError, "price: expected a decimal"),
    "float price": (lambda f: f.add_variant(1, price=3.99), TypeError, "price: expected str or D"),
    "taken id": (lambda f: f.add_publisher("X", id=1), ValueError, "publisher id 1 is taken"),
    "unknown user": (lambda f: f.add_wish_list_item(1, user="bob"), ValueError, "user 'bob'"),
    "unknown field": (lambda f: f.add_arc("X", color="red"), AttributeError, "no field 'color'"),
    "unknown kind": (lambda f: f.touch("issues", 1), ValueError, "kind 'issues': expected one of"),
    "unknown object": (lambda f: f.delete("issue", 99), KeyError, "issue 99 does not exist"),
    "spending user": (lambda f: f.spend("bob", 1), ValueError, "user 'bob'"),
    "token": (lambda f: f.add_account("ann", "x", 5), TypeError, "tokens: expected array"),
    "limit": (lambda f: f.add_account("ann", "x", "y", burst="20"), TypeError, "burst: expected"),
    "edit": (lambda f: f.touch("series", 1, year_began="2000"), TypeError, "year_began: expected"),
    "edit of a relation": (lambda f: f.touch("issue", 1, series=99), ValueError, "series id 99"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_errors_and_change_nothing(fake, name):
    fake.add_issue(fake.add_series("Saga").id, "1")
    call, error, message = WRONG[name]
    before = {kind: dict(table) for kind, table in fake.catalogue.tables._asdict().items()}
    with pytest.raises(error, match=message):
        call(fake)
    assert {kind: dict(table) for kind, table in fake.catalogue.tables._asdict().items()} == before
    assert not fake.accounts["reader"].shelf.wishes


def test_edits_take_iso_text(fake):
    issue = fake.add_issue(fake.add_series("Saga").id, "1")
    fake.touch("issue", issue.id, store_date="2026-01-02", names=["One", "Two"])
    assert (issue.store_date, issue.names) == (dt.date(2026, 1, 2), ("One", "Two"))


def test_the_day_of_a_catalogue_is_a_date_or_iso_text():
    assert FakeMetron(issues=1, today="2026-11-20").catalogue.today == dt.date(2026, 11, 20)
    with pytest.raises(ValueError, match="isoformat"):
        FakeMetron(issues=1, today="today")
    with pytest.raises(TypeError, match="issues: expected a number"):
        FakeMetron(issues="many")
