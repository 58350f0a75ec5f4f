"""The models agree with the server's schema and with everything that was recorded.

Every property of every schema that an operation can return must be a field of its Struct, under the
same encoded name, in the same order, of a compatible type, and nullable exactly where the schema
says so; and the other way round. Every recorded body of a 2xx must decode strictly, and be encoded
again byte for byte. Where schema and server differ, ``DEVIATIONS`` names the place. A deviation
that no longer exists fails, too.
"""

import json
import re
import types
import typing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import metron_async.models as m

DATA = Path(__file__).parent.parent / "data"
OPENAPI = json.loads((DATA / "openapi.json").read_bytes())
SCHEMAS = OPENAPI["components"]["schemas"]
EXCHANGES = json.loads((DATA / "exchanges.json").read_bytes())

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "Arc": m.Arc,
    "ArcList": m.ArcSummary,
    "AssociatedSeries": m.AssociatedSeries,
    "BasicImprint": m.BasicRef,
    "BasicPublisher": m.BasicRef,
    "Character": m.CharacterWritten,
    "CharacterList": m.CharacterSummary,
    "CharacterRead": m.Character,
    "CollectionIssue": m.CollectionIssue,
    "CollectionList": m.CollectionSummary,
    "CollectionRatingUpdate": m.RatingResult,
    "CollectionRead": m.CollectionItem,
    "Creator": m.Creator,
    "CreatorList": m.CreatorSummary,
    "Credit": m.CreditWritten,
    "CreditRead": m.Credit,
    "Genre": m.Genre,
    "Imprint": m.ImprintWritten,
    "ImprintList": m.ImprintSummary,
    "ImprintRead": m.Imprint,
    "Issue": m.IssueWritten,
    "IssueList": m.IssueSummary,
    "IssueListSeries": m.SeriesRef,
    "IssueRead": m.Issue,
    "IssueSeries": m.IssueSeries,
    "MissingIssue": m.MissingIssue,
    "MissingSeries": m.MissingSeries,
    "Publisher": m.Publisher,
    "PublisherList": m.PublisherSummary,
    "PullListIssue": m.PullListIssue,
    "PullListRead": m.PullList,
    "PullListSeries": m.PullListSeries,
    "Rating": m.AgeRating,
    "ReadDate": m.ReadDate,
    "ReadingListIssue": m.ReadingListIssue,
    "ReadingListItem": m.ReadingListItem,
    "ReadingListList": m.ReadingListSummary,
    "ReadingListNav": m.BasicRef,
    "ReadingListRead": m.ReadingList,
    "Reprint": m.Reprint,
    "Role": m.Role,
    "ScrobbleResponse": m.ScrobbleResult,
    "Series": m.SeriesWritten,
    "SeriesList": m.SeriesSummary,
    "SeriesRead": m.Series,
    "SeriesType": m.SeriesType,
    "Team": m.TeamWritten,
    "TeamList": m.TeamSummary,
    "TeamRead": m.Team,
    "Universe": m.UniverseWritten,
    "UniverseList": m.UniverseSummary,
    "UniverseRead": m.Universe,
    "User": m.User,
    "Variant": m.VariantWritten,
    "VariantsIssue": m.Variant,
    "WishList": m.WishList,
    "WishListItemList": m.WishListItemSummary,
    "WishListItemRead": m.WishListItem,
}

# Operations whose answer the schema does not describe.
UNDESCRIBED: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("get", "/api/collection/stats/"): m.CollectionStats,
    ("post", "/api/wish_list/items/{item_pk}/acquire/"): m.AcquireResult,
}

# (schema, property) -> what the server really does, as the annotation of the field.
DEVIATIONS: dict[tuple[str, str], Any] = {
    # Read-only objects that may be absent; the schema forgets to say so.
    ("IssueRead", "imprint"): m.BasicRef | None,
    ("SeriesRead", "imprint"): m.BasicRef | None,
    ("ReadingListRead", "previous"): m.BasicRef | None,
    ("ReadingListRead", "next"): m.BasicRef | None,
    # Means over no ratings at all.
    ("IssueRead", "average_rating"): float | None,
    ("ReadingListRead", "average_rating"): float | None,
    ("ReadingListList", "average_rating"): float | None,
    # Rows of a pull list leave issue_count out of the series, and so do writes.
    ("PullListSeries", "series"): m.PulledSeries,
    ("Series", "issue_count"): int | None,
}

# Fields that only newer servers send: no property of the schema, and never required.
_ATTRIBUTED = {"attribution"}
NEWER: dict[str, set[str]] = {
    **{
        name: _ATTRIBUTED
        for base in ("Character", "Imprint", "Series", "Team", "Universe")
        for name in (base, base + "Read")
    },
    "Arc": _ATTRIBUTED,
    "Creator": _ATTRIBUTED,
    "Publisher": _ATTRIBUTED,
    "Issue": {"desc_is_solicitation"},
    "IssueRead": {"attribution", "desc_is_solicitation"},
    "SeriesList": {"publisher", "series_type", "cv_id", "gcd_id"},
}


def schema_name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def expected_type(prop: dict[str, Any]) -> Any:
    """The annotation that a property of the schema asks for."""
    plain, nullable = plain_type(prop)
    return plain | None if nullable or prop.get("nullable") else plain


def plain_type(prop: dict[str, Any]) -> tuple[Any, bool]:
    if "$ref" in prop:
        name = schema_name(prop["$ref"])
        return (STRUCTS[name], False) if name in STRUCTS else plain_type(SCHEMAS[name])
    if "allOf" in prop:
        return plain_type(prop["allOf"][0])
    if "oneOf" in prop:
        # A choice or blank is text; a choice or null is nullable; a price is told as text.
        parts = [
            part for part in prop["oneOf"] if not (part.get("$ref") or "").endswith("NullEnum")
        ]
        return plain_type(parts[0])[0], len(parts) < len(prop["oneOf"])
    if prop["type"] == "array":
        return tuple[expected_type(prop["items"]), ...], False
    by_kind = {
        ("string", "date"): date,
        ("string", "date-time"): datetime,
        ("string", "decimal"): Decimal,
        ("integer", None): int,
        ("number", None): float,
        ("number", "double"): float,
        ("boolean", None): bool,
    }
    return by_kind.get((prop["type"], prop.get("format")), str), False


def comparable(hint: Any) -> Any:
    """An annotation in a form that two equal ones share."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return comparable(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return frozenset(comparable(part) for part in typing.get_args(hint))
    if origin is tuple:
        return ("tuple", comparable(typing.get_args(hint)[0]))
    return hint


def fields_of(struct: type[msgspec.Struct]) -> dict[str, tuple[Any, bool]]:
    """Encoded name -> (annotation, required)."""
    return {f.encode_name: (f.type, f.required) for f in msgspec.structs.fields(struct)}


def answered_schemas() -> set[str]:
    """Names of all schemas that some operation answers, with what is nested inside."""
    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node and (name := schema_name(node["$ref"])) not in found:
                found.add(name)
                visit(SCHEMAS[name])
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    for operations in OPENAPI["paths"].values():
        for operation in operations.values():
            visit(operation["responses"])
    return {
        name for name in found if "properties" in SCHEMAS[name] and not name.startswith("Paginated")
    }


def test_every_schema_that_is_answered_has_a_struct() -> None:
    assert answered_schemas() == set(STRUCTS)


def test_every_public_struct_is_checked() -> None:
    checked = {*STRUCTS.values(), *UNDESCRIBED.values(), m.CollectionFormatStat, m.PulledSeries}
    bases = {m.Record, m.Model, m.Row, m.NamedRow, m.PageBody, m.Attribution}
    public = {
        value
        for name in m.__all__
        if isinstance(value := getattr(m, name), type) and issubclass(value, m.Record)
    }
    assert public - bases == checked


@pytest.mark.parametrize("schema", sorted(STRUCTS))
def test_struct_has_exactly_the_properties_of_its_schema_in_their_order(schema: str) -> None:
    names = list(fields_of(STRUCTS[schema]))
    newer = NEWER.get(schema, set())
    assert [name for name in names if name not in newer] == list(SCHEMAS[schema]["properties"])
    assert set(names) >= newer


@pytest.mark.parametrize("schema", sorted(STRUCTS))
def test_struct_has_the_types_of_its_schema(schema: str) -> None:
    fields = fields_of(STRUCTS[schema])
    for name, prop in SCHEMAS[schema]["properties"].items():
        asked = comparable(expected_type(prop))
        if (schema, name) in DEVIATIONS:
            allowed = comparable(DEVIATIONS[schema, name])
            assert allowed != asked, f"{schema}.{name} is no deviation any more"
            asked = allowed
        assert comparable(fields[name][0]) == asked, f"{schema}.{name}"


@pytest.mark.parametrize("schema", sorted(STRUCTS))
def test_what_the_schema_requires_is_required(schema: str) -> None:
    fields = fields_of(STRUCTS[schema])
    for name in SCHEMAS[schema].get("required", ()):
        absent = (schema, name) == ("Series", "issue_count")  # recorded, see DEVIATIONS
        assert fields[name][1] is not absent, f"{schema}.{name}"
    for name in NEWER.get(schema, ()):
        assert not fields[name][1], f"{schema}.{name}"


def test_the_series_of_a_pull_list_is_that_of_a_list_without_its_count() -> None:
    row, pulled = fields_of(m.SeriesSummary), fields_of(m.PulledSeries)
    assert comparable(pulled.pop("issue_count")[0]) == comparable(int | None)
    assert row.pop("issue_count") == (int, True)
    assert pulled == row


def test_pages_are_what_the_schema_says() -> None:
    page = fields_of(m.PageBody)
    for name, schema in SCHEMAS.items():
        if name.startswith("Paginated"):
            assert set(schema["properties"]) == set(page)
            for field, prop in schema["properties"].items():
                if field != "results":
                    assert comparable(page[field][0]) == comparable(expected_type(prop))


def operation_of(method: str, path: str) -> tuple[str, str]:
    """The template of a path; fixed parts win over parameters."""
    candidates = [
        template
        for template, operations in OPENAPI["paths"].items()
        if method in operations
        and re.fullmatch(re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(template)), path)
    ]
    return method, min(candidates, key=lambda template: template.count("{"))


def type_of(exchange: dict[str, Any]) -> Any:
    """The type that a recorded answer must decode into."""
    method, template = operation_of(
        exchange["request"]["method"].lower(), exchange["request"]["path"]
    )
    if (method, template) in UNDESCRIBED:
        return UNDESCRIBED[method, template]
    responses = OPENAPI["paths"][template][method]["responses"]
    answer = responses.get(str(exchange["response"]["status"]), responses.get("200"))
    name = schema_name(answer["content"]["application/json"]["schema"]["$ref"])
    if name.startswith("Paginated"):
        item = SCHEMAS[name]["properties"]["results"]["items"]["$ref"]
        return m.PageBody[STRUCTS[schema_name(item)]]  # type: ignore[misc]
    struct = STRUCTS[name]
    return tuple[struct, ...] if isinstance(exchange["response"]["body"], list) else struct  # type: ignore[valid-type]


ANSWERED = [
    exchange
    for exchange in EXCHANGES
    if 200 <= exchange["response"]["status"] < 300 and exchange["response"]["status"] != 204
]


def sent_part(encoded: Any, recorded: Any) -> Any:
    """What was encoded, without the defaults of fields that the server did not send."""
    if isinstance(recorded, dict):
        return {k: sent_part(v, recorded[k]) for k, v in encoded.items() if k in recorded}
    if isinstance(recorded, list):
        return [sent_part(left, right) for left, right in zip(encoded, recorded, strict=True)]
    return encoded


@pytest.mark.parametrize(
    "exchange", ANSWERED, ids=[f"{i}-{exchange['name']}" for i, exchange in enumerate(ANSWERED)]
)
def test_every_recorded_body_decodes_and_is_encoded_byte_for_byte(exchange: dict[str, Any]) -> None:
    body = exchange["response"]["body"]
    if isinstance(body, dict):
        body.pop("_truncated", None)  # a note of the recording, not of the server
    decoded = msgspec.json.decode(json.dumps(body), type=type_of(exchange))
    encoded = json.loads(msgspec.json.encode(decoded))
    # The server sends the result of a scrobble in another order than its schema has.
    order: Any = "sorted" if exchange["name"].startswith("collection.scrobble") else None
    assert msgspec.json.encode(sent_part(encoded, body), order=order) == msgspec.json.encode(
        body, order=order
    )


def test_every_operation_that_answers_was_recorded() -> None:
    """Otherwise the test above would be quiet about it."""
    recorded = {
        operation_of(e["request"]["method"].lower(), e["request"]["path"]) for e in ANSWERED
    }
    answering = {
        (method, template)
        for template, operations in OPENAPI["paths"].items()
        for method, operation in operations.items()
        if set(operation["responses"]) & {"200", "201"} and method != "put"
    }
    assert answering - recorded == set()
