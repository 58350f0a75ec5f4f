"""Leave alone, set, clear: what UNSET, None, "" and [] do, seen from the outside."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec import UNSET
from support.exchanges import PNG, client_of
from support.virtual import on_virtual_time

from metron_async import (
    BookFormat,
    Grade,
    NotFoundError,
    Rating,
    SeriesStatus,
    UsageError,
    ValidationError,
    WishPriority,
)
from metron_async import models as m
from metron_async.testing import FakeMetron


@pytest.fixture
def fake():
    return FakeMetron(issues=300, throttle=False)


@on_virtual_time
async def test_an_issue_is_left_alone_set_and_cleared(fake):
    full = m.IssueInput(
        series=1,
        number="1000",
        alt_number="X",
        collection_title="T",
        story_titles=["One"],
        cover_date=date(2026, 1, 1),
        store_date=date(2026, 1, 2),
        foc_date=date(2026, 1, 3),
        price=Decimal("3.99"),
        rating=2,
        sku="S",
        isbn="I",
        upc="U",
        page_count=32,
        desc="D",
        arcs=[1],
        characters=[1],
        teams=[1],
        universes=[1],
        reprints=[1],
        cv_id=8_000_001,
        gcd_id=8_000_002,
        image=PNG,
    )
    cleared = {
        "alt_number": "", "collection_title": "", "story_titles": (), "store_date": None,
        "foc_date": None, "price": None, "sku": "", "isbn": "", "upc": "", "page_count": None,
        "desc": "", "arcs": (), "characters": (), "teams": (), "universes": (), "reprints": (),
        "cv_id": None, "gcd_id": None,
    }  # fmt: skip
    async with client_of(fake, "editor") as metron:
        made = await metron.issues.create(full)
        assert not any(getattr(made, name) == value for name, value in cleared.items())
        same = await metron.issues.update(made.id, m.IssueInput(rating=2))
        assert same == made
        for name, value in cleared.items():
            after = await metron.issues.update(made.id, m.IssueInput(**{name: None}))
            assert getattr(after, name) == value, name
        assert (after.number, after.cover_date) == ("1000", date(2026, 1, 1))
        assert (await metron.issues.get(made.id)).variants == ()


@pytest.mark.parametrize("empty", ["", None])
@on_virtual_time
async def test_texts_are_cleared_by_none_and_by_nothing(fake, empty):
    async with client_of(fake, "editor") as metron:
        for write, data in (
            (metron.issues.update, m.IssueInput(desc=empty)),
            (metron.arcs.update, m.ArcInput(desc=empty)),
            (metron.series.update, m.SeriesInput(desc=empty)),
        ):
            assert (await write(1, data)).desc == ""


@on_virtual_time
async def test_numbers_and_dates_are_cleared_in_forms(fake):
    async with client_of(fake, "editor") as metron:
        creator = await metron.creators.create(
            m.CreatorInput(name="x", birth=date(1950, 1, 1), death=date(2020, 1, 1), cv_id=99999)
        )
        assert creator.birth == date(1950, 1, 1)
        creator = await metron.creators.update(
            creator.id, m.CreatorInput(birth=None, cv_id=None, death=UNSET)
        )
        assert (creator.birth, creator.death) == (None, date(2020, 1, 1))
        assert creator.cv_id is None
        publisher = await metron.publishers.update(1, m.PublisherInput(founded=None))
        assert publisher.founded is None


@on_virtual_time
async def test_lists_cannot_be_cleared_where_only_forms_are_taken(fake):
    async with client_of(fake, "editor") as metron:
        for call in (
            metron.characters.update(1, m.CharacterInput(alias=[])),
            metron.characters.replace(1, m.CharacterInput(name="x", teams=None)),
            metron.teams.update(1, m.TeamInput(creators=[])),
            metron.publishers.update(1, m.PublisherInput(alt_names=[])),
            metron.issues.update(1, m.IssueInput(arcs=[], image=PNG)),
        ):
            with pytest.raises(UsageError, match="cannot clear a list"):
                await call
        assert not fake.requests
        await metron.issues.update(1, m.IssueInput(arcs=[]))
        made = await metron.characters.create(m.CharacterInput(name="x", alias=[]))
        assert made.alias == ()


@on_virtual_time
async def test_replace_needs_everything_and_update_something(fake):
    async with client_of(fake, "editor") as metron:
        with pytest.raises(UsageError, match="replace requires publisher"):
            await metron.imprints.replace(1, m.ImprintInput(name="x"))
        with pytest.raises(UsageError, match="create requires name, publisher"):
            await metron.imprints.create(m.ImprintInput())
        with pytest.raises(UsageError, match="nothing would be updated"):
            await metron.imprints.update(1, m.ImprintInput())
        assert not fake.requests
        whole = await metron.imprints.replace(1, m.ImprintInput(name="x", publisher=2))
        assert (whole.name, whole.publisher) == ("x", 2)
        assert fake.requests[-1].method == "PUT"


@on_virtual_time
async def test_every_namespace_creates_updates_and_replaces(fake):
    day = date(2026, 1, 1)
    whole = {
        "arcs": m.ArcInput(name="x"),
        "characters": m.CharacterInput(name="x"),
        "creators": m.CreatorInput(name="x"),
        "imprints": m.ImprintInput(name="x", publisher=1),
        "issues": m.IssueInput(series=1, number="999", cover_date=day),
        "publishers": m.PublisherInput(name="x"),
        "series": m.SeriesInput(
            name="x", sort_name="x", volume=1, year_began=2026, series_type=1,
            status=SeriesStatus.ONGOING, publisher=1,
        ),
        "teams": m.TeamInput(name="x"),
        "universes": m.UniverseInput(name="x", publisher=1, designation=""),
        "variants": m.VariantInput(issue=1, image=PNG),
    }  # fmt: skip
    async with client_of(fake, "editor") as metron:
        for name, data in whole.items():
            namespace = getattr(metron, name)
            made = await namespace.create(data)
            kept = await namespace.replace(made.id, data)
            assert kept.id == made.id
            change = type(data)(**({"sku": "y"} if name == "variants" else {"desc": "y"}))
            changed = await namespace.update(made.id, change)
            assert getattr(changed, "desc", "y") == "y"
            with pytest.raises(NotFoundError):
                await namespace.update(10_000_000, change)
            with pytest.raises(UsageError, match=r"expected \w+Input"):
                await namespace.update(1, m.CreditInput(issue=1, creator=1, role=[1]))


@on_virtual_time
async def test_credits_come_back_in_order_and_errors_name_their_row(fake):
    async with client_of(fake, "editor") as metron:
        made = await metron.issues.create(
            m.IssueInput(series=1, number="999", cover_date=date(2026, 1, 1))
        )
        rows = [m.CreditInput(issue=made.id, creator=n, role=[1]) for n in (5, 3, 9, 1)]
        written = await metron.credits.create(iter(rows))
        assert [row.creator for row in written] == [5, 3, 9, 1]
        more = [
            m.CreditInput(issue=made.id, creator=2, role=[1]),
            m.CreditInput(issue=made.id, creator=424_242, role=[1]),
            m.CreditInput(issue=made.id, creator=5, role=[1]),
        ]
        with pytest.raises(ValidationError) as caught:
            await metron.credits.create(more)
        assert set(caught.value.fields) == {"1.creator", "2.non_field_errors"}
        assert len((await metron.issues.get(made.id)).credits) == 4, "all of them, or none"


@on_virtual_time
async def test_credits_are_checked_before_they_are_sent(fake):
    row = m.CreditInput(issue=1, creator=1, role=[1])
    wrong = m.CreditInput(issue=1, creator=-1, role=[1])
    async with client_of(fake, "editor") as metron:
        with pytest.raises(UsageError, match="at least one"):
            await metron.credits.create([])
        with pytest.raises(UsageError, match=r"credits\[1\].*creator"):
            await metron.credits.create([row, wrong])
        with pytest.raises(UsageError, match=r"credits\[0\]: expected CreditInput"):
            await metron.credits.create([{"issue": 1}])
    assert not fake.requests


@on_virtual_time
async def test_prices_have_currencies(fake):
    async with client_of(fake, "editor") as metron:
        data = m.IssueInput(price=m.Price(Decimal("4.50"), "GBP"))
        await metron.issues.update(1, data)
        assert (await metron.issues.get(1)).price_currency == "GBP"
        await metron.issues.update(1, m.IssueInput(price=Decimal("4.50"), image=PNG))
        issue = await metron.issues.get(1)
        assert (issue.price, issue.price_currency) == (Decimal("4.50"), "USD")
        euros = m.IssueInput(price=m.Price(Decimal("0.1"), "EUR"), image=PNG)
        assert (await metron.issues.update(1, euros)).price == Decimal("0.10")
        wish, _ = await metron.wish_list.add(1, max_price=m.Price(Decimal(12), "ITL"))
        assert (wish.max_price, wish.max_price_currency) == (Decimal("12.00"), "ITL")


@on_virtual_time
async def test_an_accounts_own_writes_with_all_their_arguments(fake):
    async with client_of(fake, "editor") as metron:
        item, created = await metron.collection.add(
            1,
            quantity=2,
            book_format=BookFormat.DIGITAL,
            grade=Grade.NM_PLUS if hasattr(Grade, "NM_PLUS") else 9.6,
            grading_company="CGC",
            purchase_date=date(2026, 1, 1),
            purchase_price=Decimal("1.50"),
            purchase_store="shop",
            storage_location="box",
            notes="note",
        )
        assert created
        assert (item.quantity, item.book_format, item.purchase_store) == (2, "Digital", "shop")
        assert (item.storage_location, item.notes) == ("box", "note")
        rated = await metron.collection.rate(item.id, Rating(4))
        assert rated.rating == 4
        assert (await metron.collection.rate(item.id, None)).rating is None
        await metron.collection.remove(item.id)
        with pytest.raises(NotFoundError):
            await metron.collection.get(item.id)
        wish, created = await metron.wish_list.add(
            2, priority=WishPriority(1), desired_grade=9.8, max_price=Decimal(5), notes="n"
        )
        assert created
        assert (wish.priority, wish.desired_grade, wish.notes) == (1, 9.8, "n")
        got = await metron.wish_list.acquire(
            wish.id,
            purchase_date=date(2026, 1, 1),
            purchase_price=m.Price(Decimal(3), "EUR"),
            purchase_store="s",
            notes="n",
        )
        assert got.created
        assert (await metron.collection.get(got.collection_item_id)).purchase_store == "s"
        entry, created = await metron.pull_list.add_series(5)
        assert (entry.series.id, created) == (5, True)
        assert not (await metron.pull_list.add_series(5)).created
        await metron.pull_list.remove_series(5)
        assert await metron.pull_list.series().collect() == []


@on_virtual_time
async def test_limits_are_known_before_a_request_is_spent(fake):
    async with client_of(fake, "editor") as metron:
        for call, told in (
            (metron.collection.add(1, purchase_store="x" * 256), "255"),
            (metron.collection.add(1, quantity=0), "quantity"),
            (metron.collection.add(1, purchase_price=Decimal(100_000)), "purchase_price"),
            (metron.collection.rate(1, 6), "rating"),
            (metron.wish_list.add(1, priority=6), "priority"),
            (metron.wish_list.acquire(1, purchase_price=1.5), "float"),
            (metron.issues.update(1, m.IssueInput(number="x" * 26)), "25"),
            (metron.series.update(1, m.SeriesInput(volume=40_000)), "volume"),
        ):
            with pytest.raises(UsageError, match=told):
                await call
    assert not fake.requests
