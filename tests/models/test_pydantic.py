"""Models as fields of pydantic models, and as request and response models of FastAPI."""

import inspect
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import fastapi
import httpx
import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metron_async.models as m
from metron_async.models import _pydantic

EXCHANGES = json.loads((Path(__file__).parent.parent / "data" / "exchanges.json").read_bytes())
BODIES = {exchange["name"]: exchange["response"]["body"] for exchange in EXCHANGES}
READ: dict[str, type[m.Record]] = {
    name: value
    for name in m.__all__
    if isinstance(value := getattr(m, name), type)
    and issubclass(value, m.Record)
    and value not in {m.Record, m.Model, m.Row}
}


def decoded(name: str, kind: Any, changes: dict[str, Any] | None = None) -> Any:
    return msgspec.json.decode(json.dumps(BODIES[name] | (changes or {})), type=kind)


ISSUE: m.Issue = decoded("issue.get.with_variant", m.Issue)
RECORDS: list[m.Record] = [
    ISSUE,
    decoded("arc.get", m.Arc),
    decoded("character.get", m.Character),
    decoded("character.create", m.CharacterWritten),
    decoded("collection.add.created", m.CollectionItem),
    decoded("collection.stats", m.CollectionStats),
    decoded("series.get", m.Series),
    *decoded("collection.filter", m.PageBody[m.CollectionSummary]).results,
    *decoded("pull_list.series", m.PageBody[m.PullListSeries]).results,
    *decoded("series.list", m.PageBody[m.SeriesSummary]).results,
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_model_survives_pydantic_under_the_names_of_its_attributes(record: m.Record) -> None:
    adapter = pydantic.TypeAdapter(type(record))
    raw = adapter.dump_json(record)
    assert json.loads(raw) == record.to_dict()
    assert adapter.validate_json(raw) == record
    assert adapter.validate_python(record) is record
    assert adapter.validate_python(record.to_dict()) == record
    assert adapter.dump_python(record, mode="json") == record.to_dict()


@pytest.mark.parametrize("name", sorted(READ))
def test_every_model_has_a_json_schema_that_describes_its_fields(name: str) -> None:
    kind = READ[name]
    for mode in ("validation", "serialization"):
        schema = pydantic.TypeAdapter(kind).json_schema(mode=mode)  # type: ignore[arg-type]
        schema = schema["$defs"][name] if "$ref" in schema else schema
        assert schema["title"] == name
        assert schema["description"]
        assert list(schema["properties"]) == list(kind.__struct_fields__)
        assert all(field["description"] for field in schema["properties"].values())
        needed = [field.name for field in msgspec.structs.fields(kind) if field.required]
        everything = list(kind.__struct_fields__)
        assert schema.get("required", []) == (everything if mode == "serialization" else needed)
    assert ":class:" not in json.dumps(schema)
    assert "``" not in json.dumps(schema)


class Shelf(pydantic.BaseModel):
    label: str
    best: m.Issue | None = None
    rows: tuple[m.SeriesSummary, ...] = ()


def test_models_are_fields_of_pydantic_models() -> None:
    shelf = Shelf(label="A", best=ISSUE)
    again = Shelf.model_validate_json(shelf.model_dump_json())
    assert again == shelf
    assert shelf.model_dump()["best"]["modified"] == ISSUE.modified
    assert shelf.model_dump(include={"best": {"id", "price"}}) == {
        "best": {"id": ISSUE.id, "price": ISSUE.price}
    }


def test_a_union_of_models_is_serialized_as_the_right_one() -> None:
    arc, character = RECORDS[1:3]
    adapter = pydantic.TypeAdapter(list[m.Arc | m.Character | int])
    assert json.loads(adapter.dump_json([character, 1, arc])) == [  # type: ignore[list-item]
        character.to_dict(),
        1,
        arc.to_dict(),
    ]


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"modified": "2026-01-01T00:00:00"}, ("modified",), "timezone_aware"),
        ({"id": "one"}, ("id",), "int_parsing"),
        ({"price": "Infinity"}, ("price",), "finite"),
        ({"series": {"id": 1}}, ("series", "name"), "missing"),
        ({"credits": [{"id": 1, "creator": "A"}]}, ("credits", 0, "role"), "missing"),
        ({"publisher": None}, ("publisher",), "dict_type"),
    ],
)
def test_what_is_not_a_model_is_refused_with_its_place(
    changes: dict[str, Any], place: tuple[Any, ...], reason: str
) -> None:
    wrong = json.dumps(ISSUE.to_dict() | changes)
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(m.Issue).validate_json(wrong)
    errors = [
        (tuple(part for part in error["loc"] if "-" not in str(part)), error["type"], error["msg"])
        for error in caught.value.errors()
    ]
    assert any(loc == place and reason in f"{kind} {text}" for loc, kind, text in errors), errors


@given(st.dictionaries(st.sampled_from(["id", "name", "x"]), st.none() | st.integers() | st.text()))
@settings(deadline=None)
def test_any_dictionary_is_a_model_or_refused(values: dict[str, Any]) -> None:
    adapter = pydantic.TypeAdapter(m.BasicRef)
    try:
        made = adapter.validate_python(values)
    except pydantic.ValidationError:
        return
    assert (type(made.id), type(made.name)) == (int, str)


# FastAPI


app = fastapi.FastAPI()


@app.get("/issue")
async def get_issue() -> m.Issue:
    return ISSUE


@app.get("/rows", response_model_exclude_none=True)
async def get_rows() -> list[m.SeriesSummary]:
    return list(decoded("series.list", m.PageBody[m.SeriesSummary]).results)


@app.post("/ref")
async def post_ref(ref: Annotated[m.BasicRef, fastapi.Body()]) -> m.BasicRef:
    return ref


async def test_fastapi_returns_and_accepts_models() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
        assert (await browser.get("/issue")).json() == ISSUE.to_dict()
        row = (await browser.get("/rows")).json()[0]
        assert (row["display_name"], "publisher" in row) == ("Amazing Comet (1963)", False)
        made = await browser.post("/ref", json={"id": 1, "name": "Marvel"})
        assert made.json() == {"id": 1, "name": "Marvel"}
        assert (await browser.post("/ref", json={"id": 1})).status_code == 422
        schema = (await browser.get("/openapi.json")).json()
    components = schema["components"]["schemas"]
    assert {"Issue", "SeriesSummary", "Credit", "Variant"} <= set(components)
    returned = schema["paths"]["/issue"]["get"]["responses"]["200"]["content"]
    assert returned["application/json"]["schema"]["$ref"] == "#/components/schemas/Issue"
    assert components["Issue"]["properties"]["price"]["description"] == "Cover price, or `None`."


def test_pydantic_is_loaded_only_by_those_who_use_it() -> None:
    program = """
        import sys, metron_async.models as m
        m.BasicRef(id=1, name="a").to_dict()
        assert not any(name.startswith(("pydantic", "html")) for name in sys.modules), sys.modules
    """
    subprocess.run([sys.executable, "-c", inspect.cleandoc(program)], check=True, timeout=60)


def test_without_the_source_there_are_no_descriptions_of_fields(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_source(_: object) -> str:
        raise OSError

    monkeypatch.setattr(_pydantic.inspect, "getsource", no_source)
    _pydantic._field_docs.cache_clear()
    try:
        schema = pydantic.TypeAdapter(m.User).json_schema()
    finally:
        _pydantic._field_docs.cache_clear()
    assert schema["properties"]["username"] == {"title": "Username", "type": "string"}
    assert schema["description"] == "User of Metron."


def test_amounts_stay_exact() -> None:
    variant = m.Variant(price=Decimal("4.10"), image="https://example.org/a.png")
    assert b'"price":"4.10"' in pydantic.TypeAdapter(m.Variant).dump_json(variant)
