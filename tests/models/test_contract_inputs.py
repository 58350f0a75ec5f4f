"""Inputs agree with the server's schema, and say what recorded writes said."""

import json
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import metron_async.models as m
from metron_async.enums import BookFormat, Currency, GradingCompany, SeriesStatus
from metron_async.models._encoding import rules_of
from metron_async.models._rules import Choice, Day, File, Listed, Moment, Money, Text, Whole

DATA = Path(__file__).parent.parent / "data"
OPENAPI = json.loads((DATA / "openapi.json").read_bytes())
SCHEMAS = OPENAPI["components"]["schemas"]
EXCHANGES = json.loads((DATA / "exchanges.json").read_bytes())

INPUTS: dict[str, type[m.Input]] = {
    "AcquireWishListItem": m.AcquireInput,
    "Arc": m.ArcInput,
    "Character": m.CharacterInput,
    "CollectionAddItem": m.CollectionAddInput,
    "CollectionRatingUpdate": m.RatingInput,
    "Creator": m.CreatorInput,
    "Credit": m.CreditInput,
    "Imprint": m.ImprintInput,
    "Issue": m.IssueInput,
    "Publisher": m.PublisherInput,
    "ScrobbleRequest": m.ScrobbleInput,
    "Series": m.SeriesInput,
    "Team": m.TeamInput,
    "Universe": m.UniverseInput,
    "Variant": m.VariantInput,
    "WishListAddItem": m.WishListAddInput,
}
NEWER = {"Issue": {"desc_is_solicitation"}}
# The schema has no limit, and the server fails on longer ones.
UNTOLD = {(s, f): 255 for s in INPUTS for f in ("purchase_store", "storage_location")}


def writable(schema: str) -> dict[str, dict[str, Any]]:
    properties = SCHEMAS[schema]["properties"]
    return {name: prop for name, prop in properties.items() if not prop.get("readOnly")}


def rules(kind: type[m.Input]) -> dict[str, Any]:
    return {encode_name: rule for _, encode_name, rule in rules_of(kind)}


def currencies(kind: type[m.Input]) -> set[str]:
    """Fields that a price fills beside its own."""
    return {
        f"{name}_currency"
        for name, rule in rules(kind).items()
        if isinstance(rule, Money) and rule.currency == "beside"
    }


def request_schemas() -> dict[str, set[str]]:
    """Schema -> media types in which the server takes it."""
    found: dict[str, set[str]] = {}
    for operations in OPENAPI["paths"].values():
        for operation in operations.values():
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                name = content["schema"]["$ref"].rsplit("/", 1)[-1].removeprefix("Patched")
                found.setdefault(name, set()).add(media)
    return found


def test_every_request_has_an_input() -> None:
    assert set(request_schemas()) == set(INPUTS)


@pytest.mark.parametrize("schema", sorted(INPUTS))
def test_an_input_has_exactly_the_fields_of_its_schema(schema: str) -> None:
    kind = INPUTS[schema]
    names = set(rules(kind)) | currencies(kind)
    assert names - NEWER.get(schema, set()) == set(writable(schema))


@pytest.mark.parametrize("schema", sorted(INPUTS))
def test_an_input_is_json_where_the_server_takes_it(schema: str) -> None:
    assert INPUTS[schema].takes_json is ("application/json" in request_schemas()[schema])


@pytest.mark.parametrize("schema", sorted(INPUTS))
def test_creating_needs_what_the_schema_requires(schema: str) -> None:
    kind = INPUTS[schema]
    always = {f.encode_name for f in msgspec.structs.fields(kind) if f.required}
    asked = set(SCHEMAS[schema].get("required", ())) & set(writable(schema))
    if schema == "CollectionRatingUpdate":
        asked.add("rating")  # a request without it would change nothing
    if schema == "Universe":
        asked.add("designation")  # the server refuses a universe without one
    assert {*always, *kind.required} == asked


@pytest.mark.parametrize("schema", sorted(INPUTS))
def test_names_are_those_of_the_model(schema: str) -> None:
    """What one reads is what one writes."""
    if schema in {"Issue", "Series", "Arc", "Character", "Team", "Universe", "Variant", "Imprint"}:
        written: Any = getattr(m, f"{schema}Written", getattr(m, schema))
        names = {f.encode_name: f.name for f in msgspec.structs.fields(written)}
        for field in msgspec.structs.fields(INPUTS[schema]):
            assert field.name == names[field.encode_name]


def check_rule(rule: Any, prop: dict[str, Any], where: tuple[str, str]) -> None:
    """Assert that a rule has the kind and the limits of a property."""
    nullable = bool(prop.get("nullable"))
    if "allOf" in prop or "oneOf" in prop or "$ref" in prop:
        check_choice(rule, prop, where, nullable=nullable)
    elif prop["type"] == "array":
        assert isinstance(rule, Listed), where
        check_rule(rule.rule, prop["items"], where)
    elif prop["type"] == "integer" and "Enum" not in str(prop):
        if isinstance(rule, Choice):  # written as a plain range
            assert {1, 5} == {prop["minimum"], prop["maximum"]}
            assert {c.value for c in rule.choices} == {1, 2, 3, 4, 5}
        else:
            assert isinstance(rule, Whole), where
            most = 32_767 if where[1] == "quantity" else 2_147_483_647
            assert (rule.least, rule.most) == (prop.get("minimum", 0), prop.get("maximum", most))
            assert rule.clears is nullable, where
    elif prop.get("format") == "date":
        assert rule == Day(clears=nullable), where
    elif prop.get("format") == "date-time":
        assert rule == Moment(), where
    elif prop.get("format") == "uri":
        # Most are nullable in the schema, but the server ignores the null, or refuses it (issues).
        assert rule == File(clears=where[0] == "Imprint"), where
    elif prop.get("format") == "decimal" and "grade" in where[1]:
        assert isinstance(rule, Choice), where
        assert rule.empty is None
    elif prop.get("format") == "decimal":
        assert isinstance(rule, Money), where
        assert f"{{0,{rule.digits}}}" in prop["pattern"], where
    else:
        assert prop["type"] == "string"
        assert isinstance(rule, Text), where
        assert rule.most == prop.get("maxLength", UNTOLD.get(where)), where


def check_choice(
    rule: Any, prop: dict[str, Any], where: tuple[str, str], *, nullable: bool
) -> None:
    text = str(prop)
    if where == ("Issue", "price"):
        # The schema sets no limit; the server stores 8 digits, 2 of them after the point.
        assert rule == Money(digits=6, currency="within", zero=False)
    elif "CountryEnum" in text or "LanguageEnum" in text:
        assert isinstance(rule, Text)
        assert rule.blank is ("BlankEnum" in text)
        codes = SCHEMAS["CountryEnum" if "Country" in text else "LanguageEnum"]["enum"]
        assert [rule.encode(code) for code in codes] == codes
    else:
        assert isinstance(rule, Choice), where
        assert (rule.empty is None) is nullable, where
        assert (rule.empty == "") is ("BlankEnum" in text), where
        known = [
            n for n, s in SCHEMAS.items() if "enum" in s and n not in {"BlankEnum", "NullEnum"}
        ]
        (name,) = (n for n in known if f"/{n}'" in text)
        assert {c.value for c in rule.choices} == set(SCHEMAS[name]["enum"]), where


@pytest.mark.parametrize("schema", sorted(INPUTS))
def test_an_input_has_the_limits_of_its_schema(schema: str) -> None:
    for name, rule in rules(INPUTS[schema]).items():
        if name not in NEWER.get(schema, ()):
            check_rule(rule, writable(schema)[name], (schema, name))
    for name in currencies(INPUTS[schema]):
        codes = SCHEMAS["CurrencyEnum"]["enum"]
        assert "CurrencyEnum" in str(writable(schema)[name])
        assert {c.value for c in Currency} == set(codes)


def test_texts_that_are_required_cannot_be_blank() -> None:
    for kind in INPUTS.values():
        for name, _, rule in rules_of(kind):
            if isinstance(rule, Text):
                needed = name in {*kind.required, "country"} - {"designation"}
                assert rule.blank is not needed, name


DAY = date(2024, 5, 1)
PNG = b"\x89PNG\r\n\x1a\n"
WRITES: dict[str, tuple[m.Input, str]] = {
    "collection.scrobble.created": (
        m.ScrobbleInput(
            issue_id=2900, date_read=datetime(2026, 1, 8, 14, 30, tzinfo=UTC), rating=4
        ),
        "create",
    ),
    "collection.scrobble.updated": (m.ScrobbleInput(issue_id=2900), "create"),
    "collection.add.created": (
        m.CollectionAddInput(
            issue_id=2901,
            grade=9.8,
            grading_company=GradingCompany.CGC,
            purchase_price=Decimal("49.99"),
            purchase_store="Local Comic Shop",
        ),
        "create",
    ),
    "collection.add.existing": (m.CollectionAddInput(issue_id=2901), "create"),
    "collection.rate": (m.RatingInput(rating=5), "update"),
    "collection.rate.cleared": (m.RatingInput(rating=None), "update"),
    "pull_list.add.created": (m.PullListAddInput(series_id=50), "create"),
    "wish_list.add.created": (
        m.WishListAddInput(
            issue_id=2910,
            priority=1,
            max_price=m.Price(Decimal("12.5"), Currency.GBP),
            notes="né",
        ),
        "create",
    ),
    "wish_list.acquire": (
        m.AcquireInput(purchase_price=Decimal("9.99"), purchase_date=date(2026, 1, 2)),
        "create",
    ),
    "arc.create": (m.ArcInput(name="Recorded Arc", desc="d", image=PNG), "create"),
    "arc.update": (m.ArcInput(desc="patched"), "update"),
    "character.create": (
        m.CharacterInput(
            name="Recorded Hero", alias=["A", "B"], creators=[1, 2], teams=[1], universes=[1]
        ),
        "create",
    ),
    "character.update": (m.CharacterInput(alias=("Z",)), "update"),
    "creator.create": (
        m.CreatorInput(name="Recorded Creator", birth=date(1980, 1, 1), alias=["RC"], image=PNG),
        "create",
    ),
    "creator.update": (m.CreatorInput(death=date(2020, 2, 3)), "update"),
    "imprint.create": (m.ImprintInput(name="Recorded Imprint", publisher=1), "create"),
    "imprint.update": (m.ImprintInput(founded=1999), "update"),
    "publisher.create": (m.PublisherInput(name="Recorded Press", country="GB"), "create"),
    "publisher.update": (m.PublisherInput(desc="patched"), "update"),
    "team.create": (m.TeamInput(name="Recorded Team", creators=[1], universes=[1]), "create"),
    "team.update": (m.TeamInput(desc="patched"), "update"),
    "universe.create": (
        m.UniverseInput(name="Recorded Universe", publisher=1, designation="77"),
        "create",
    ),
    "universe.update": (m.UniverseInput(desc="patched"), "update"),
    "series.create": (
        m.SeriesInput(
            name="Recorded Series",
            sort_name="Recorded Series",
            volume=1,
            year_began=2024,
            series_type=1,
            status=SeriesStatus.CANCELLED,
            publisher=1,
            genres=[1],
            language="it",
        ),
        "create",
    ),
    "series.update": (m.SeriesInput(year_end=2025, associated=[1, 2]), "update"),
    "issue.create": (
        m.IssueInput(
            series=201,
            number="1",
            cover_date=DAY,
            price=m.Price(Decimal("3.99"), "GBP"),
            characters=[1, 2],
            story_titles=["One", "Two"],
        ),
        "create",
    ),
    "issue.create.image": (
        m.IssueInput(
            series=201,
            number="2",
            cover_date=date(2024, 6, 1),
            price=m.Price(Decimal("3.99"), Currency.EUR),
            characters=[1, 2],
            story_titles=["Uno"],
            image=PNG,
        ),
        "create",
    ),
    "issue.update": (m.IssueInput(price=Decimal("5.99"), arcs=[1]), "update"),
    "issue.create.duplicate": (
        m.IssueInput(series=201, number="1", cover_date=DAY),
        "create",
    ),
    "credit.create.duplicate": (m.CreditInput(issue=2998, creator=1, role=[1]), "create"),
    "variant.create": (
        m.VariantInput(issue=2998, name="Foil", sku="V1", upc="1", image=PNG),
        "create",
    ),
    "variant.update": (m.VariantInput(name="Foil B"), "update"),
}
# Writes that an input refuses to say, or that have no input of their own.
NOT_SAID = {
    "arc.create.forbidden",
    "arc.create.invalid",
    "arc.create.json_refused",
    "collection.rate.invalid",
    "collection.scrobble.invalid",
    "credit.create",
    "issue.create.bad_currency",
    "pull_list.add.existing",
    "pull_list.add.missing",
    "series.create.invalid",
    "throttle.forbidden_does_not_count",
    "wish_list.add.existing",
}
BODIES = {e["name"]: e["request"] for e in EXCHANGES if {"json", "form"} & set(e["request"])}


def test_every_recorded_write_is_said_or_refused() -> None:
    assert set(BODIES) == set(WRITES) | NOT_SAID


@pytest.mark.parametrize("name", sorted(WRITES))
def test_a_recorded_write_is_said_as_it_was(name: str) -> None:
    value, action = WRITES[name]
    request = BODIES[name]
    encoded = m.encode_input(value, typing.cast("m.Action", action))
    if isinstance(encoded, m.JsonFields):
        recorded = request["json"]
        recorded = recorded[0] if isinstance(recorded, list) else recorded
        assert json.loads(json.dumps(encoded.fields)) == recorded
    else:
        pairs: list[tuple[str, str]] = []
        for field, told in request["form"].items():
            pairs += [(field, str(t)) for t in (told if isinstance(told, list) else [told])]
        assert sorted(encoded.fields) == sorted(pairs)
        assert (encoded.image is not None) is ("files" in request)


def test_choices_of_an_item_are_told_by_their_codes() -> None:
    item = m.CollectionAddInput(issue_id=1, book_format=BookFormat.DIGITAL)
    assert m.encode_input(item, "create") == m.JsonFields({"issue_id": 1, "book_format": "DIGITAL"})
