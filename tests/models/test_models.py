"""What holds for every model: documented, frozen, cheap, and decoded completely or not at all."""

import ast
import gc
import inspect
import json
import types
import typing
import weakref
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metron_async.models as m
from metron_async.models._instants import in_utc

EXCHANGES = json.loads((Path(__file__).parent.parent / "data" / "exchanges.json").read_bytes())
BODIES = {exchange["name"]: exchange["response"]["body"] for exchange in EXCHANGES}

PUBLIC: dict[str, type[msgspec.Struct]] = {
    name: value
    for name in m.__all__
    if isinstance(value := getattr(m, name), type) and issubclass(value, msgspec.Struct)
}
READ = {k: v for k, v in PUBLIC.items() if issubclass(v, m.Record)}


def described(struct: type) -> set[str]:
    """Names of the fields with a docstring below them, in the class itself."""
    (definition,) = ast.parse(inspect.getsource(struct)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id
        for field, below in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
    }


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_field_is_documented_below_it(name: str) -> None:
    struct = PUBLIC[name]
    bases = [base for base in struct.__mro__ if base.__module__.startswith("metron_async.")]
    assert {field for base in bases for field in described(base)} >= set(struct.__struct_fields__)
    assert (struct.__doc__ or "").strip()


@pytest.mark.parametrize("name", sorted(READ))
def test_models_are_frozen_and_hold_no_lists(name: str) -> None:
    struct = READ[name]
    assert struct.__struct_config__.frozen
    for field in msgspec.structs.fields(struct):
        assert typing.get_origin(field.type) not in {list, dict, set}, field.name


@pytest.mark.parametrize("name", sorted(READ))
def test_details_can_be_referred_to_and_rows_stay_out_of_gc(name: str) -> None:
    config = READ[name].__struct_config__
    if READ[name] is not m.Record:
        assert config.weakref is issubclass(READ[name], m.Model)
        assert config.gc is not issubclass(READ[name], m.Row)


def test_a_detail_can_be_a_key_and_be_referred_to_weakly() -> None:
    issue = msgspec.json.decode(json.dumps(BODIES["issue.get"]), type=m.Issue)
    again = msgspec.json.decode(json.dumps(BODIES["issue.get"]), type=m.Issue)
    assert issue == again
    assert hash(issue) == hash(again)
    assert weakref.ref(issue)() is issue
    with pytest.raises(AttributeError):
        issue.number = "2"  # type: ignore[misc]


def test_rows_are_not_tracked_by_the_collector() -> None:
    page = msgspec.json.decode(
        json.dumps(BODIES["issue.list.page_full"]), type=m.PageBody[m.IssueSummary]
    )
    assert len(page.results) == 100
    assert not any(gc.is_tracked(row) for row in page.results)


def test_names_that_mislead_are_told_by_better_ones() -> None:
    issue = msgspec.json.decode(json.dumps(BODIES["issue.get"]), type=m.Issue)
    assert (issue.story_titles, issue.collection_title) == (("Chapter 30: The Returñ",), "")
    assert (issue.page_count, issue.price) == (32, Decimal("4.99"))
    assert issue.average_rating is None
    row = msgspec.json.decode(json.dumps(BODIES["issue.list"]["results"][0]), type=m.IssueSummary)
    assert row.issue_name == "Amazing Comet (1963) #2"
    series = msgspec.json.decode(
        json.dumps(BODIES["series.list"]["results"][0]), type=m.SeriesSummary
    )
    assert series.display_name == "Amazing Comet (1963)"
    item = msgspec.json.decode(json.dumps(BODIES["collection.add.created"]), type=m.CollectionItem)
    assert item.grade == 9.8
    assert item.purchase_price == Decimal("49.99")


def test_fields_of_newer_servers_are_read_and_unknown_ones_ignored() -> None:
    newer = BODIES["arc.get"] | {
        "attribution": [{"source": "Wikipedia", "url": "https://example.org/a", "license": "x"}],
        "sentiment": {"of": ["tomorrow"]},
    }
    arc = msgspec.json.decode(json.dumps(newer), type=m.Arc)
    assert arc.attribution == (m.Attribution(source="Wikipedia", url="https://example.org/a"),)
    newer = BODIES["series.list"]["results"][0] | {
        "publisher": {"id": 1, "name": "Marvel"},
        "series_type": {"id": 2, "name": "Annual Series"},
        "cv_id": 7,
        "gcd_id": None,
    }
    row = msgspec.json.decode(json.dumps(newer), type=m.SeriesSummary)
    assert row.publisher == m.BasicRef(id=1, name="Marvel")
    assert row.series_type == m.SeriesType(id=2, name="Annual Series")
    assert (row.cv_id, row.gcd_id) == (7, None)


def test_a_time_without_offset_is_refused() -> None:
    naive = BODIES["arc.get"] | {"modified": "2026-11-20T15:19:11"}
    with pytest.raises(msgspec.ValidationError, match=r"\$\.modified"):
        msgspec.json.decode(json.dumps(naive), type=m.Arc)


PAGE = BODIES["issue.list"] | {
    "results": [
        BODIES["issue.list"]["results"][0] | {"id": number, "modified": instant, "cover_hash": text}
        for number, (instant, text) in enumerate(
            [
                ("2026-11-20T15:19:11.123456-05:00", "a"),
                ("1850-01-01T00:00:00-04:56:02", "-04:56:02"),
                ("1883-11-18T12:03:57.999999-04:56:02", '"1850-01-01T00:00:00-04:56:02"'),
            ]
        )
    ]
}


def test_an_instant_before_standard_time_does_not_break_its_page() -> None:
    raw = json.dumps(PAGE).encode()
    kind = m.PageBody[m.IssueSummary]
    with pytest.raises(msgspec.ValidationError, match="RFC3339"):
        msgspec.json.decode(raw, type=kind)
    rows = msgspec.json.decode(in_utc(raw), type=kind).results
    assert [row.modified for row in rows] == [
        datetime.fromisoformat(row["modified"]) for row in PAGE["results"]
    ]
    assert rows[1].modified == datetime(1850, 1, 1, 4, 56, 2, tzinfo=UTC)
    assert [row.cover_hash for row in rows] == [row["cover_hash"] for row in PAGE["results"]]


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-86399, 86399))  # noqa: DTZ001
def test_an_offset_with_seconds_is_converted_to_the_same_instant(
    naive: datetime, offset: int
) -> None:
    instant = naive.replace(tzinfo=timezone(timedelta(seconds=offset)))
    converted = in_utc(json.dumps({"modified": instant.isoformat()}).encode())
    text = json.loads(converted)["modified"]
    assert datetime.fromisoformat(text) == instant
    assert text == instant.isoformat() or text.endswith("+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+04:56:02",
        "2026-02-30T00:00:00-04:56:02",
        "2026-01-01T00:00:00-99:56:02",
        "2026-01-01T00:00:00.1234567-04:56:02",
        "2026-01-01T00:00:00-05:00",
    ],
)
def test_what_is_not_an_instant_stays_as_it_is(text: str) -> None:
    body = json.dumps({"modified": text, "desc": f"at {text}"}).encode()
    assert in_utc(body) == body


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    ("name", "kind", "field"),
    [
        ("issue.get", m.Issue, "price"),
        ("issue.create", m.IssueWritten, "price"),
        ("variant.create", m.VariantWritten, "price"),
        ("collection.add.created", m.CollectionItem, "purchase_price"),
        ("collection.stats", m.CollectionStats, "total_value"),
        ("wish_list.add.created", m.WishListItem, "max_price"),
    ],
)
def test_an_amount_that_is_not_finite_is_refused(
    name: str, kind: Any, field: str, amount: str
) -> None:
    assert msgspec.json.decode(json.dumps(BODIES[name] | {field: "1.50"}), type=kind)
    with pytest.raises(msgspec.ValidationError, match="finite"):
        msgspec.json.decode(json.dumps(BODIES[name] | {field: amount}), type=kind)


# Plain dictionaries.


def test_to_dict_has_the_names_of_the_attributes_all_the_way_down() -> None:
    body = BODIES["issue.get.with_variant"]
    body["variants"][0]["price"] = "4.90"
    issue = msgspec.json.decode(json.dumps(body), type=m.Issue)
    plain = issue.to_dict()
    assert list(plain) == list(m.Issue.__struct_fields__)
    assert plain["story_titles"] == list(issue.story_titles)
    assert plain["price"] == str(issue.price)
    assert plain["modified"] == issue.modified.isoformat()
    assert plain["cover_date"] == issue.cover_date.isoformat()
    assert plain["series"]["series_type"] == {
        "id": issue.series.series_type.id,
        "name": issue.series.series_type.name,
    }
    assert plain["variants"][0]["price"] == "4.90"
    pulled = msgspec.json.decode(
        json.dumps(BODIES["pull_list.series"]["results"][0]), type=m.PullListSeries
    )
    assert pulled.to_dict()["series"]["display_name"] == pulled.series.display_name
    assert m.to_plain((pulled, None, Decimal("1.50"))) == [pulled.to_dict(), None, "1.50"]


@pytest.mark.parametrize("name", sorted(set(READ) - {"Record", "Model", "Row"}))
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_to_dict_holds_what_the_encoding_holds(name: str, data: st.DataObject) -> None:
    model = data.draw(holding(READ[name]))
    plain = model.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert renamed(plain, READ[name]) == json.loads(msgspec.json.encode(model))
    plain.clear()
    assert set(model.to_dict()) == set(READ[name].__struct_fields__)


def renamed(plain: Any, hint: Any) -> Any:
    """The dictionary with the server's names in place of the attributes'."""
    parts = [part for part in typing.get_args(hint) if part not in {type(None), ...}]
    if isinstance(plain, list):
        return [renamed(item, parts[0]) for item in plain]
    if not isinstance(plain, dict):
        return plain
    fields = {field.name: field for field in msgspec.structs.fields(parts[0] if parts else hint)}
    return {fields[k].encode_name: renamed(v, fields[k].type) for k, v in plain.items()}


def test_a_repr_is_short_and_shows_what_matters() -> None:
    body = BODIES["issue.get.with_variant"] | {"desc": "x" * 5_000}
    issue = msgspec.json.decode(json.dumps(body), type=m.Issue)
    assert len(repr(issue)) < 2_500
    assert repr(issue).startswith(f"Issue(id={issue.id}, publisher=BasicRef(id=")
    assert "isbn" not in repr(issue)  # empty
    assert repr(m.BasicRef(id=0, name="Marvel")) == "BasicRef(id=0, name='Marvel')"


# What every field can hold, from its annotation.

_OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**64 - 1),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=2),
    date: st.dates(),
    datetime: st.datetimes(timezones=_OFFSETS),
    type(None): st.none(),
}


def holding(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return holding(parts[0])
    if origin in (typing.Union, types.UnionType):
        return st.one_of([holding(part) for part in parts])
    if origin is tuple:
        return st.lists(holding(parts[0]), max_size=2).map(tuple)
    if hint in _PLAIN:
        return _PLAIN[hint]
    fields = msgspec.structs.fields(hint)
    return st.builds(hint, **{field.name: holding(field.type) for field in fields})


@pytest.mark.parametrize("name", sorted(set(READ) - {"Record", "Model", "Row"}))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_encoded_decodes_to_an_equal_object(name: str, data: st.DataObject) -> None:
    model = data.draw(holding(READ[name]))
    assert msgspec.json.decode(msgspec.json.encode(model), type=READ[name]) == model


# Damaged bodies: every recorded kind of answer, changed in one place.

KINDS: dict[str, Any] = {
    "arc.get": m.Arc,
    "character.get": m.Character,
    "collection.filter": m.PageBody[m.CollectionSummary],
    "collection.add.created": m.CollectionItem,
    "collection.stats": m.CollectionStats,
    "issue.get.with_variant": m.Issue,
    "issue.list": m.PageBody[m.IssueSummary],
    "pull_list.series": m.PageBody[m.PullListSeries],
    "reading_list.get": m.ReadingList,
    "reading_list.items": m.PageBody[m.ReadingListItem],
    "series.get": m.Series,
    "wish_list.acquire": m.AcquireResult,
    "wish_list.items": m.PageBody[m.WishListItemSummary],
}
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "0", "2026-02-30", "2026-01-01", "1e5", "🦸", "2026-01-01T00:00:00"]),
    st.sampled_from([[], {}, [[]], [None], {"id": 1}, {"id": "1", "name": None}]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        children: Any = value.items()
    else:
        children = enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += places(child, (*path, key))
    return found


def damaged(body: Any, path: tuple[Any, ...], change: Any) -> Any:
    """A copy of *body* where one place holds *change*, or is gone if that is ``...``."""
    if not path:
        return None if change is ... else change
    copy = dict(body) if isinstance(body, dict) else dict(enumerate(body))
    if len(path) == 1 and change is ...:
        del copy[path[0]]
    else:
        copy[path[0]] = damaged(copy[path[0]], path[1:], change)
    return copy if isinstance(body, dict) else list(copy.values())


def assert_holds(value: Any, hint: Any) -> None:
    """Assert that a decoded value is really what its annotation says, all the way down."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        assert value.utcoffset() is not None
    elif origin in (typing.Union, types.UnionType):
        part = next(p for p in parts if (p is type(None)) == (value is None))
        assert_holds(value, part)
    elif origin in (tuple, list):
        assert isinstance(value, origin)
        for item in value:
            assert_holds(item, parts[0])
    else:
        assert type(value) is (origin or hint)
        for field in msgspec.structs.fields(value) if isinstance(value, msgspec.Struct) else ():
            if not isinstance(field.type, typing.TypeVar) and field.name != "results":
                assert_holds(getattr(value, field.name), field.type)


@given(data=st.data())
@settings(max_examples=600, deadline=None)
def test_a_damaged_body_is_read_right_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(KINDS)))
    body = damaged(
        BODIES[name],
        data.draw(st.sampled_from(places(BODIES[name]))),
        data.draw(st.one_of(st.just(...), _ODD)),
    )
    try:
        decoded = msgspec.json.decode(json.dumps(body), type=KINDS[name])
    except msgspec.ValidationError:
        return
    assert_holds(decoded, typing.get_origin(KINDS[name]) or KINDS[name])
    for row in getattr(decoded, "results", ()):
        assert_holds(row, typing.get_args(KINDS[name])[0])


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_cut_or_garbled_bytes_are_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(KINDS)))
    raw = json.dumps(BODIES[name]).encode()
    at = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw[:at], type=KINDS[name])
    garbled = raw[:at] + data.draw(st.binary(min_size=1, max_size=3)) + raw[at + 1 :]
    try:
        msgspec.json.decode(garbled, type=KINDS[name])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
