"""What can be written is said as the server reads it; the rest is refused before it is sent."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact, Rounded, localcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metron_async.models as m
from metron_async.enums import Currency, Grade, GradingCompany, Rating, SeriesStatus
from metron_async.errors import UsageError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def told(value: m.Input, action: m.Action = "update") -> Any:
    encoded = m.encode_input(value, action)
    assert isinstance(encoded, m.JsonFields)
    return json.loads(json.dumps(encoded.fields))


def form(value: m.Input, action: m.Action = "update") -> tuple[tuple[str, str], ...]:
    encoded = m.encode_input(value, action)
    assert isinstance(encoded, m.FormFields)
    assert encoded == m.encode_form(value, action)
    return encoded.fields


def test_what_is_not_set_is_left_alone() -> None:
    assert told(m.IssueInput(upc="1")) == {"upc": "1"}
    assert m.IssueInput().upc is msgspec.UNSET


def test_json_clears_numbers_and_dates_by_null_texts_and_lists_by_empty_ones() -> None:
    value = m.IssueInput(
        page_count=None,
        store_date=None,
        price=None,
        cv_id=None,
        desc=None,
        sku="",
        arcs=[],
    )
    assert told(value) == {
        "page": None,
        "store_date": None,
        "price": None,
        "cv_id": None,
        "desc": "",
        "sku": "",
        "arcs": [],
    }
    assert told(m.IssueInput(teams=None, story_titles=None)) == {"teams": [], "name": []}
    assert told(m.SeriesInput(imprint=None, year_end=None, language=None)) == {
        "imprint": None,
        "year_end": None,
        "language": "",
    }


def test_a_form_clears_by_an_empty_text() -> None:
    value = m.CreatorInput(birth=None, death=None, desc=None, cv_id=None)
    assert set(form(value)) == {(k, "") for k in ("birth", "death", "desc", "cv_id")}


IMAGES = [
    m.ArcInput,
    m.CharacterInput,
    m.CreatorInput,
    m.ImprintInput,
    m.IssueInput,
    m.PublisherInput,
    m.TeamInput,
    m.UniverseInput,
    m.VariantInput,
]


@pytest.mark.parametrize("kind", IMAGES)
def test_only_the_image_of_an_imprint_can_be_cleared(kind: Any) -> None:
    """The server ignores it for the others, or refuses it (issues)."""
    if kind is m.ImprintInput:
        assert form(kind(image=None)) == (("image", ""),)
        return
    for encode in (m.encode_input, m.encode_form):
        with pytest.raises(UsageError, match=r"\.image: .*got None.*cannot clear an image here"):
            encode(kind(image=None), "update")


@pytest.mark.parametrize("action", ["update", "replace"])
@pytest.mark.parametrize(
    "value",
    [
        m.CharacterInput(name="A", teams=[]),
        m.PublisherInput(name="A", alt_names=None),
        # With an image an issue has to be a form as well.
        m.IssueInput(series=1, number="1", cover_date=date(2026, 1, 1), arcs=[], image=PNG),
    ],
)
def test_a_list_cannot_be_cleared_in_a_form(value: m.Input, action: m.Action) -> None:
    with pytest.raises(UsageError, match="cannot clear a list in a form"):
        m.encode_input(value, action)


def test_a_new_object_has_empty_lists_anyway() -> None:
    assert form(m.CharacterInput(name="A", teams=[], alias=()), "create") == (("name", "A"),)


def test_a_form_repeats_lists_and_writes_objects_as_json() -> None:
    value = m.IssueInput(
        price=m.Price(Decimal("3.5"), "EUR"),
        arcs=[3, 1],
        desc_is_solicitation=True,
        page_count=32,
        image=PNG,
    )
    assert sorted(form(value)) == [
        ("arcs", "1"),
        ("arcs", "3"),
        ("desc_is_solicitation", "true"),
        ("page", "32"),
        ("price", '{"amount": 3.5, "currency": "EUR"}'),
    ]
    encoded = m.encode_form(value, "update")
    assert encoded.image == PNG
    # What JSON takes can be said as a form too.
    assert m.encode_form(m.ScrobbleInput(issue_id=1, rating=None), "create").fields == (
        ("issue_id", "1"),
        ("rating", ""),
    )


def test_prices() -> None:
    assert told(m.IssueInput(price=Decimal("3.9"))) == {"price": "3.90"}
    assert told(m.IssueInput(price=Decimal("1E+2"))) == {"price": "100.00"}
    assert told(m.IssueInput(price=m.Price(Decimal("0.1"), Currency.GBP))) == {
        "price": {"amount": 0.1, "currency": "GBP"}
    }
    big = Decimal("999999.99")
    assert told(m.IssueInput(price=m.Price(big)))["price"] == {
        "amount": float(big),
        "currency": "USD",
    }
    assert told(m.AcquireInput(purchase_price=Decimal(0)), "create") == {"purchase_price": "0.00"}
    assert told(m.AcquireInput(purchase_price=Decimal("-0")), "create") == {
        "purchase_price": "0.00"
    }
    assert told(m.AcquireInput(purchase_price=None), "create") == {"purchase_price": None}


def test_account_inputs() -> None:
    value = m.CollectionAddInput(
        issue_id=5,
        grade=Decimal("9.8"),
        grading_company=None,
        purchase_price=m.Price(Decimal("49.99"), Currency.EUR),
        storage_location=None,
    )
    assert told(value, "create") == {
        "issue_id": 5,
        "grade": "9.8",
        "grading_company": "",
        "purchase_price": "49.99",
        "purchase_price_currency": "EUR",
        "storage_location": "",
    }
    assert told(m.CollectionAddInput(issue_id=5, grading_company="", grade=None), "create") == {
        "issue_id": 5,
        "grading_company": "",
        "grade": None,
    }
    assert told(m.WishListAddInput(issue_id=1, desired_grade=Grade.NM, priority=2), "create") == {
        "issue_id": 1,
        "desired_grade": "9.4",
        "priority": 2,
    }
    when = datetime.fromisoformat("2026-01-08T09:30:00-05:00")
    assert told(m.ScrobbleInput(issue_id=1, date_read=when, rating=Rating.TWO), "create") == {
        "issue_id": 1,
        "date_read": "2026-01-08T14:30:00Z",
        "rating": 2,
    }
    assert told(m.ScrobbleInput(issue_id=1, date_read=None), "create")["date_read"] is None
    assert told(m.AcquireInput(), "create") == {}


NAIVE = datetime(2026, 1, 8)  # noqa: DTZ001 - that is the point
LONG = "x" * 256
FIRST = datetime(1883, 11, 18, 17, tzinfo=UTC)
HUGE = 10**400
BAD: list[tuple[m.Input, str]] = [
    (m.ArcInput(name=LONG), "ArcInput.name: expected at most 255 characters, got 256"),
    (m.ArcInput(name="  "), "ArcInput.name: expected a string that is not blank"),
    (m.ArcInput(name=None), "ArcInput.name: expected a string"),  # type: ignore[arg-type]
    (m.ArcInput(name="a\x00"), "without NUL"),
    (m.ArcInput(desc="\ud800"), "lone surrogates"),
    (m.ArcInput(desc=5), r"a string \(str\), got int"),  # type: ignore[arg-type]
    (m.ArcInput(desc=Currency.USD), "a string"),
    (m.ArcInput(cv_id=-1), "0 to 2147483647"),
    (m.ArcInput(cv_id=2**31), "0 to 2147483647"),
    (m.ArcInput(cv_id=True), "whole number"),
    (m.ArcInput(cv_id=HUGE), "0 to 2147483647"),
    (m.ArcInput(cv_id=1.5), "whole number"),  # type: ignore[arg-type]
    (m.CreditInput(issue=1, creator=1, role=[]), "role: expected a list of at least 1"),
    (m.CreditInput(issue=1, creator=1, role=None), "role: expected a list"),  # type: ignore[arg-type]
    (m.CreditInput(issue=1, creator=1, role={"a": 1}), "role: expected a list"),  # type: ignore[arg-type]
    (m.CollectionAddInput(issue_id=1, quantity=40_000), "1 to 32767"),
    (m.CollectionAddInput(issue_id=1, quantity=HUGE), "1 to 32767"),
    (m.CollectionAddInput(issue_id=1, purchase_store=LONG), "at most 255"),
    (m.CollectionAddInput(issue_id=1, storage_location=LONG), "at most 255"),
    (m.AcquireInput(purchase_store=LONG), "at most 255"),
    (m.AcquireInput(notes="a\x00"), "without NUL"),
    (m.IssueInput(price=Decimal(1_000_000)), "below 1,000,000"),
    (m.IssueInput(price=m.Price(Decimal(1_000_000))), "below 1,000,000"),
    (m.IssueInput(price=Decimal("1e400")), "below 1,000,000"),
    (m.IssueInput(price=Decimal("1e-400")), "at most 2 decimals"),
    (m.IssueInput(story_titles=["a\x00"]), "without NUL"),
    (m.VariantInput(price=Decimal(1_000_000)), "below 1,000,000"),
    (m.ScrobbleInput(issue_id=1, date_read=FIRST - timedelta(seconds=1)), "at or after 1883"),
    (m.ScrobbleInput(issue_id=HUGE), "0 to 2147483647"),
    (m.ArcInput(image=5), "a path, bytes"),  # type: ignore[arg-type]
    (m.ArcInput(image=m.Upload(None)), "a path, bytes"),  # type: ignore[arg-type]
    (m.VariantInput(image=None), "a path, bytes"),  # type: ignore[arg-type]
    (m.CharacterInput(alias=["x" * 101]), "at most 100 characters"),
    (m.CharacterInput(alias="Bob"), "expected a list"),
    (m.CharacterInput(alias=[""]), "not blank"),
    (m.CharacterInput(teams=[1, "2"]), "whole number"),  # type: ignore[list-item]
    (m.CharacterInput(teams=5), "expected a list"),  # type: ignore[arg-type]
    (m.PublisherInput(country="usa"), "a code like 'US'|at most 2"),
    (m.PublisherInput(country="us"), "a code like 'US'"),
    (m.PublisherInput(founded=32_768), "0 to 32767"),
    (m.SeriesInput(language="English"), "a code like 'pt-br'"),
    (m.SeriesInput(status=5), "SeriesStatus"),
    (m.SeriesInput(status="ONGOING"), "SeriesStatus"),  # type: ignore[arg-type]
    (m.SeriesInput(volume=None), "whole number"),  # type: ignore[arg-type]
    (m.IssueInput(number="x" * 26), "at most 25"),
    (m.IssueInput(sku="x" * 13), "at most 12"),
    (m.IssueInput(isbn="x" * 14), "at most 13"),
    (m.IssueInput(upc="x" * 21), "at most 20"),
    (m.IssueInput(story_titles=["x" * 151]), "IssueInput.story_titles: expected at most 150"),
    (
        m.IssueInput(page_count=32_768),
        "IssueInput.page_count: expected a whole number from 0 to 32767",
    ),
    (m.IssueInput(cover_date=NAIVE), "got a datetime"),
    (m.IssueInput(cover_date=None), "a date"),  # type: ignore[arg-type]
    (m.IssueInput(desc_is_solicitation=1), "True or False"),  # type: ignore[arg-type]
    (m.IssueInput(price=3.99), "a float is not exact"),  # type: ignore[arg-type]
    (m.IssueInput(price="3.99"), "Decimal"),  # type: ignore[arg-type]
    (m.IssueInput(price=Decimal("3.999")), "at most 2 decimals"),
    (m.IssueInput(price=Decimal(-1)), "0 or more"),
    (m.IssueInput(price=Decimal("NaN")), "0 or more"),
    (m.IssueInput(price=Decimal("sNaN")), "0 or more"),
    (m.IssueInput(price=Decimal("1e30")), "below 1,000,000"),
    (m.IssueInput(price=Decimal(0)), "the server stores 0 as no price"),
    (m.IssueInput(price=m.Price(Decimal(0))), "the server stores 0 as no price"),
    (m.IssueInput(price=m.Price(Decimal(1), "XXX")), "Currency"),
    (m.VariantInput(price=m.Price(Decimal(1))), "US dollars"),  # type: ignore[arg-type]
    (m.VariantInput(price=Decimal("999999.999")), "at most 2 decimals"),
    (m.CollectionAddInput(issue_id=1, purchase_price=Decimal(10**5)), "below 100,000"),
    (m.CollectionAddInput(issue_id=1, quantity=0), "1 to 32767"),
    (m.CollectionAddInput(issue_id=1, purchase_store=LONG), "at most 255"),
    (m.CollectionAddInput(issue_id=1, storage_location=LONG), "at most 255"),
    (m.CollectionAddInput(issue_id=1, grade=9.7), "Grade"),
    (m.CollectionAddInput(issue_id=1, grading_company="ABC"), "GradingCompany"),
    (m.CollectionAddInput(issue_id=1, book_format="Print"), "BookFormat"),
    (m.CollectionAddInput(issue_id=1, book_format=""), "BookFormat"),
    (m.AcquireInput(purchase_store=LONG), "at most 255"),
    (m.ScrobbleInput(issue_id=1, date_read=NAIVE), "New York"),
    (m.ScrobbleInput(issue_id=1, rating=6), "Rating"),
    (m.ScrobbleInput(issue_id="1"), "whole number"),  # type: ignore[arg-type]
    (m.WishListAddInput(issue_id=1, priority=0), "WishPriority"),
    (m.CreditInput(issue=1, creator=1, role=3), "expected a list"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("value", "reason"), BAD, ids=[f"{i}" for i in range(len(BAD))])
def test_what_is_beyond_a_limit_is_refused(value: m.Input, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        m.check_input(value, "update")


@pytest.mark.parametrize("action", ["create", "replace"])
def test_required_fields_are_named(action: m.Action) -> None:
    with pytest.raises(UsageError, match=f"IssueInput: {action} requires series, cover_date$"):
        m.check_input(m.IssueInput(number="1"), action)
    m.check_input(m.IssueInput(number="1"), "update")


def test_an_update_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="SeriesInput: no field is set"):
        m.check_input(m.SeriesInput(), "update")


@pytest.mark.parametrize("action", ["create", "replace"])
def test_a_universe_needs_a_designation_which_may_be_empty(action: m.Action) -> None:
    with pytest.raises(UsageError, match=f"{action} requires designation"):
        m.check_input(m.UniverseInput(publisher=1, name="A"), action)
    for empty in ("", None):
        value = m.UniverseInput(publisher=1, name="A", designation=empty)
        assert ("designation", "") in form(value, action)


def test_a_body_of_more_than_two_and_a_half_megabytes_of_text_is_refused() -> None:
    most = 2_621_440
    for value, overhead in (
        (m.IssueInput(desc="x" * (most - 11)), len('{"desc":""}')),
        (m.ArcInput(desc="x" * (most - 5)), len("desc=")),
        (m.ArcInput(desc="ö" * ((most - 6) // 2), image=PNG), len("desc") + 2),
    ):
        m.check_input(value, "update")
        over = msgspec.structs.replace(value, desc="x" * (most - overhead + 1))
        with pytest.raises(UsageError, match=r"2,621,441 bytes of text.* at most 2,621,440"):
            m.check_input(over, "update")


def test_a_form_of_more_than_a_thousand_fields_is_refused() -> None:
    m.check_input(m.CharacterInput(teams=range(1, 1_001)), "update")
    with pytest.raises(UsageError, match=r"1,001 fields.*at most 1,000"):
        m.check_input(m.CharacterInput(name="A", teams=range(1, 1_001)), "update")
    with pytest.raises(UsageError, match="1,001 fields"):
        m.check_input(m.IssueInput(arcs=range(1, 1_002), image=PNG), "update")
    m.check_input(m.IssueInput(arcs=range(1, 1_002)), "update")  # as JSON


class Index:
    """An integer that is no int, such as numpy's."""

    def __index__(self) -> int:
        return 4


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "other"


def test_values_of_other_types_are_sent_as_plain_ones() -> None:
    four: Any = Index()
    value = m.IssueInput(series=four, arcs=[four, 5], characters={7}, desc=Loud("a"), upc=Loud())
    sent = told(value)
    assert sent == {"series": 4, "arcs": [4, 5], "characters": [7], "desc": "a", "upc": ""}
    assert msgspec.json.encode(m.encode_input(value, "update"))  # also where types are exact
    assert told(m.SeriesInput(status=four)) == {"status": 4}
    assert told(m.ScrobbleInput(issue_id=four, rating=four), "create") == {
        "issue_id": 4,
        "rating": 4,
    }


def test_amounts_do_not_depend_on_the_programs_decimal_context() -> None:
    with localcontext(Context(prec=2, traps=[Inexact, Rounded])):
        assert told(m.IssueInput(price=Decimal("123456.78"))) == {"price": "123456.78"}
        with pytest.raises(UsageError, match="at most 2 decimals"):
            m.check_input(m.IssueInput(price=Decimal("1.001")), "update")


def test_limits_themselves_are_allowed() -> None:
    m.check_input(m.ArcInput(name="ö" * 255, cv_id=2**31 - 1, desc="a\nb"), "create")
    m.check_input(m.SeriesInput(status=SeriesStatus.HIATUS, volume=32_767), "update")
    m.check_input(m.CollectionAddInput(issue_id=1, purchase_price=Decimal("99999.99")), "create")
    m.check_input(
        m.CollectionAddInput(issue_id=1, grading_company=GradingCompany.PGX, quantity=32_767),
        "create",
    )


@pytest.mark.parametrize(
    "image", ["cover.png", Path("cover.png"), PNG, io.BytesIO(PNG), m.Upload(PNG, name="c.png")]
)
def test_images_of_all_kinds_stay_as_they_are(image: m.Image) -> None:
    assert m.encode_form(m.ArcInput(image=image), "update") == m.FormFields((), image)


@given(st.decimals(0, Decimal("999999.99"), places=2).filter(bool))
@settings(deadline=None)
def test_amounts_survive_both_ways_of_telling_them(amount: Decimal) -> None:
    assert Decimal(told(m.IssueInput(price=amount))["price"]) == amount
    price = m.encode_input(m.IssueInput(price=m.Price(amount, "ITL")), "update")
    assert isinstance(price, m.JsonFields)
    written = json.loads(json.dumps(price.fields), parse_float=Decimal)
    assert written == {"price": {"amount": amount, "currency": "ITL"}}


ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.lists(st.integers() | st.text() | st.none(), max_size=3),
    st.sampled_from([*Grade, *Currency, m.Price(Decimal(1)), m.Price(1, 2), m.Upload(b"")]),  # type: ignore[arg-type]
)


@given(data=st.data())
@settings(deadline=None)
def test_anything_is_said_cleanly_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([m.IssueInput, m.SeriesInput, m.CreatorInput, m.VariantInput]))
    name = data.draw(st.sampled_from(kind.__struct_fields__))
    value = kind(**{name: data.draw(ANY)})
    for encode in (m.encode_input, m.encode_form):
        try:
            encoded = encode(value, "update")
        except UsageError:
            continue
        if isinstance(encoded, m.JsonFields):
            assert json.loads(json.dumps(encoded.fields, allow_nan=False))
        else:
            assert all(
                isinstance(k, str) and text.encode() is not None for k, text in encoded.fields
            )


KINDS = {
    PNG: "image/png",
    b"\xff\xd8\xff\xe0....": "image/jpeg",
    b"GIF87a......": "image/gif",
    b"GIF89a......": "image/gif",
    b"RIFF\0\0\0\0WEBPVP8 ": "image/webp",
    b"\0\0\0\x1cftypavif": "image/avif",
    b"BM..........": "image/bmp",
    b"II*\0........": "image/tiff",
    b"<html></html>": None,
    b"": None,
}


@pytest.mark.parametrize(("content", "kind"), KINDS.items())
def test_images_are_known_by_their_bytes(content: bytes, kind: str | None) -> None:
    assert m.image_type(content) == kind


@pytest.mark.parametrize(
    ("upload", "name", "kind"),
    [
        (m.Upload(PNG), "image.png", "image/png"),
        (m.Upload("covers/a b.png"), "a b.png", "image/png"),
        (m.Upload(Path("covers/cover")), "cover.png", "image/png"),
        (m.Upload("C:\\covers\\x.PNG"), "x.PNG", "image/png"),
        (m.Upload(PNG, name="../../etc/é.png"), "é.png", "image/png"),
        (m.Upload(PNG, content_type="image/heic"), "image", "image/heic"),
    ],
)
def test_an_image_gets_name_and_type(upload: m.Upload, name: str, kind: str) -> None:
    assert m.image_part(upload, PNG) == m.ImagePart(name, kind, PNG)


@pytest.mark.parametrize(
    ("upload", "content", "reason"),
    [
        (m.Upload(b""), b"", "empty"),
        (m.Upload(b""), PNG.ljust(m.MAX_BODY + 1, b"\0"), "20 MB"),
        (m.Upload(b""), b"<html>", "unknown type"),
        (m.Upload(b"", content_type="text/html"), PNG, "unknown type"),
        (m.Upload(b"", content_type="image/png\r\nX: y"), PNG, "unknown type"),
        (m.Upload(b"", name='a"b.png'), PNG, "file name"),
        (m.Upload(b"", name="a\nb.png"), PNG, "file name"),
        (m.Upload(b"", name="/"), PNG, "file name"),
    ],
)
def test_what_is_no_image_is_refused(upload: m.Upload, content: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        m.image_part(upload, content)
    if len(content) > m.MAX_BODY:
        assert len(m.image_part(upload, content[: m.MAX_BODY]).content) == m.MAX_BODY
