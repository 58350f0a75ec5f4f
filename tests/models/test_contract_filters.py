"""The filters agree with the server's: name by name, and each of the right kind."""

import ast
import inspect
import json
import typing
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from metron_async import enums, filters
from metron_async._values import Among, Range
from metron_async.errors import UsageError
from metron_async.filters import NEWER_FILTERS, encode_filters, filter_names
from metron_async.filters import common as bases

OPENAPI = json.loads((Path(__file__).parent.parent / "data" / "openapi.json").read_bytes())

LISTS: dict[str, type] = {
    "/api/arc/": filters.ArcFilters,
    "/api/character/": filters.CharacterFilters,
    "/api/collection/": filters.CollectionFilters,
    "/api/creator/": filters.CreatorFilters,
    "/api/imprint/": filters.ImprintFilters,
    "/api/issue/": filters.IssueFilters,
    "/api/publisher/": filters.PublisherFilters,
    "/api/pull_list/issues/": filters.PullListIssueFilters,
    "/api/reading_list/": filters.ReadingListFilters,
    "/api/role/": filters.RoleFilters,
    "/api/series/": filters.SeriesFilters,
    "/api/series_type/": filters.SeriesTypeFilters,
    "/api/team/": filters.TeamFilters,
    "/api/universe/": filters.UniverseFilters,
}

# The schema does not contain the filters of a collection; these are the server's.
COLLECTION: dict[str, Any] = {
    "book_format": enums.BookFormat,
    "date_read": date,
    "date_read_gt": date,
    "date_read_gte": date,
    "date_read_lt": date,
    "date_read_lte": date,
    "grade": enums.Grade,
    "grading_company": enums.GradingCompany,
    "is_read": bool,
    "issue__series": int,
    "modified_gt": datetime,
    "purchase_date": date,
    "purchase_date_gt": date,
    "purchase_date_gte": date,
    "purchase_date_lt": date,
    "purchase_date_lte": date,
    "purchase_store": str,
    "rating": enums.Rating,
    "storage_location": str,
}

# What only newer servers know, and on which lists.
NEWER = {
    **{path: {"modified_lt"} for path in LISTS},
    "/api/issue/": {"modified_lt", "cover_date_range_after", "cover_date_range_before"},
    "/api/pull_list/issues/": set[str](),
}

# Where the schema says less than the server knows.
DEVIATIONS = {
    ("/api/series/", "status"): enums.SeriesStatus,  # "integer"; any but 1 to 4 is refused
    ("/api/pull_list/issues/", "store_date_after"): date,  # "string"; others are a 500
    ("/api/pull_list/issues/", "store_date_before"): date,
    ("/api/issue/", "cover_month"): int,  # "number"
    ("/api/issue/", "cover_year"): int,
}
OPEN_CHOICES = {("/api/series/", "language")}  # text here: the list of languages grows


def query_of(path: str) -> dict[str, dict[str, Any]]:
    operation = OPENAPI["paths"][path]["get"]
    return {
        parameter["name"]: parameter["schema"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query" and parameter["name"] != "page"
    }


def kind_of(hint: Any) -> Any:
    """What a filter takes, boiled down: a type, or the enum whose values it takes."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint
    plain, limit = typing.get_args(hint)
    if isinstance(limit, Among):
        return limit.choices
    assert isinstance(limit, Range)
    members = typing.get_args(plain)
    if not members:
        return plain
    return Decimal if Decimal in members else list


def kind_asked(path: str, name: str, schema: dict[str, Any]) -> Any:
    if (path, name) in DEVIATIONS:
        return DEVIATIONS[path, name]
    if "enum" in schema and (path, name) not in OPEN_CHOICES:
        return set(schema["enum"])
    return {
        ("string", None): str,
        ("string", "date"): date,
        ("string", "date-time"): datetime,
        ("integer", None): int,
        ("number", None): Decimal,
        ("boolean", None): bool,
        ("array", None): list,
    }[schema["type"], schema.get("format")]


def test_every_list_with_filters_has_a_schema() -> None:
    with_filters = {
        path
        for path, operations in OPENAPI["paths"].items()
        if "get" in operations and "{" not in path and query_of(path)
    }
    assert with_filters | {"/api/collection/"} == set(LISTS)


@pytest.mark.parametrize("path", sorted(LISTS))
def test_a_list_has_exactly_the_filters_of_the_server(path: str) -> None:
    asked = set(query_of(path)) | (set(COLLECTION) if path == "/api/collection/" else set())
    assert filter_names(LISTS[path]) == asked | NEWER[path]
    assert not asked & NEWER_FILTERS


@pytest.mark.parametrize("path", sorted(LISTS))
def test_a_filter_takes_what_the_server_takes(path: str) -> None:
    hints = typing.get_type_hints(LISTS[path], include_extras=True)
    if path == "/api/collection/":
        for name, kind in COLLECTION.items():
            assert kind_of(hints[name]) == kind, name
    for name, schema in query_of(path).items():
        asked, kind = kind_asked(path, name, schema), kind_of(hints[name])
        if isinstance(asked, set):
            kind = {member.value for member in kind}
        assert kind == asked, name


def test_newer_filters_are_known_by_name() -> None:
    assert frozenset().union(*NEWER.values()) == NEWER_FILTERS
    after = typing.get_type_hints(filters.IssueFilters)["cover_date_range_after"]
    assert after is date
    assert typing.get_type_hints(filters.RoleFilters)["modified_lt"] is datetime


def test_there_is_a_schema_without_any_filter() -> None:
    assert filter_names(filters.NoFilters) == frozenset()
    assert encode_filters(filters.NoFilters, {}) == ()


@pytest.mark.parametrize("name", [n for n in filters.__all__ if n.endswith("Filters")])
def test_every_filter_is_documented(name: str) -> None:
    schema = getattr(filters, name)
    chain = [schema, bases.ModifiedFilters, bases.NamedFilters, bases.CataloguedFilters]
    docs = "\n".join(inspect.getdoc(part) or "" for part in chain)
    for key in schema.__annotations__:
        assert f"\n    {key}: " in docs, key


COMPONENTS: dict[str, type[Enum]] = {
    "AttributionSourceEnum": enums.AttributionSource,
    "BookFormatEnum": enums.BookFormat,
    "CurrencyEnum": enums.Currency,
    "PriceCurrencyEnum": enums.Currency,
    "DesiredGradeEnum": enums.Grade,
    "GradingCompanyEnum": enums.GradingCompany,
    "PriorityEnum": enums.WishPriority,
    "RatingEnum": enums.Rating,
    "StatusEnum": enums.SeriesStatus,
}


@pytest.mark.parametrize("component", sorted(COMPONENTS))
def test_an_enum_has_exactly_the_codes_of_the_schema(component: str) -> None:
    codes = OPENAPI["components"]["schemas"][component]["enum"]
    assert {member.value for member in COMPONENTS[component]} == set(codes)


def test_every_closed_set_of_the_schema_has_an_enum() -> None:
    closed = {name for name, s in OPENAPI["components"]["schemas"].items() if "enum" in s}
    open_sets = {"BlankEnum", "NullEnum", "CountryEnum", "LanguageEnum"}
    assert closed - open_sets == set(COMPONENTS)


def documented(enum: type[Enum]) -> set[str]:
    """Names of the members with a docstring below them."""
    (definition,) = ast.parse(inspect.getsource(enum)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        member.targets[0].id
        for member, below in pairwise(definition.body)
        if isinstance(member, ast.Assign)
        and isinstance(member.targets[0], ast.Name)
        and isinstance(below, ast.Expr)
    }


@pytest.mark.parametrize("name", enums.__all__)
def test_every_member_of_an_enum_is_documented(name: str) -> None:
    enum: type[Enum] = getattr(enums, name)
    for member in enum:
        assert member.name in documented(enum)


EXCHANGES = json.loads((Path(__file__).parent.parent / "data" / "exchanges.json").read_bytes())
QUERIES = {
    exchange["name"]: exchange
    for exchange in EXCHANGES
    if exchange["request"]["path"] in LISTS
    and set(exchange["request"].get("params", {})) - {"page"}
}


def value_of(hint: Any, recorded: Any) -> Any:
    """The Python value that a filter takes for a recorded one, where there is one."""
    kind = kind_of(hint)
    if kind is date:
        return date.fromisoformat(recorded)
    if kind is list:
        return [int(part) for part in recorded.split(",")]
    return recorded == "true" if kind is bool else recorded


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_recorded_query_is_sent_as_it_was_or_refused(name: str) -> None:
    request, status = QUERIES[name]["request"], QUERIES[name]["response"]["status"]
    schema, query = LISTS[request["path"]], request["params"]
    hints = typing.get_type_hints(schema, include_extras=True)
    if status == 400 or not query.keys() <= hints.keys():
        with pytest.raises(UsageError, match=r"expected|did you mean 'series_id'"):
            encode_filters(schema, query)
    else:
        values = {key: value_of(hints[key], recorded) for key, recorded in query.items()}
        assert dict(encode_filters(schema, values)) == {k: str(v) for k, v in query.items()}


def test_recorded_queries_are_of_all_kinds() -> None:
    assert {QUERIES[name]["response"]["status"] for name in QUERIES} == {200, 400}
    assert "issue.list.unknown_filter_is_ignored" in QUERIES
