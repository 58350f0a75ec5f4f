"""The server's schema against what was recorded, and the fake against the schema.

A deviation is listed with the server's real behavior, from the recordings or from measurements. One
that no longer exists fails as well.
"""

import json

import pytest
from support.contract import (
    EXCHANGES,
    NOT_DESCRIBED,
    RECORDED_OTHERWISE,
    SCHEMA,
    operation_of,
    response_problems,
)

from metron_async.testing import FakeMetron
from metron_async.testing._server.messages import HttpError
from metron_async.testing._writes.fields import InvalidError
from metron_async.testing._writes.schemas import SCHEMAS

# -- responses -------------------------------------------------------------------------------------

ANSWERED = [e for e in EXCHANGES if e["response"]["status"] in {200, 201}]


def test_recorded_responses_fit_the_schema_but_for_known_places():
    found = {
        problem
        for exchange in ANSWERED
        if operation_of(exchange) not in NOT_DESCRIBED
        for problem in response_problems(
            exchange, exchange["response"]["status"], exchange["response"]["body"]
        )
    }
    assert found == RECORDED_OTHERWISE


def test_every_operation_was_recorded():
    recorded = {operation_of(e) for e in EXCHANGES if e["response"]["status"] in {200, 201, 204}}
    unrecorded = SCHEMA.operations().keys() - recorded
    # A PUT is a PATCH in which everything is required.
    assert {method for method, _ in unrecorded} == {"put"}


# -- filters ---------------------------------------------------------------------------------------

FAKE = FakeMetron(issues=40)
OLDER = FakeMetron(issues=1, newer=False)
LISTS = sorted(
    path
    for method, path in SCHEMA.operations()
    if method == "get" and "{" not in path and SCHEMA.filters(method, path)
)
OWN_CODE = {"/api/pull_list/issues/", "/api/pull_list/series/"}
"""Lists that read their parameters themselves."""

BAD = {
    ("number", None): ("x", "Enter a number."),
    ("integer", None): ("x", "Enter a number."),
    ("array", None): ("1,x", "Enter a number."),
    ("string", "date"): ("soon", "Enter a valid date."),
    ("string", "date-time"): ("soon", "Enter a valid date/time."),
    ("string", None): ("a\0", "Null characters are not allowed."),
}
CHOICE = "Select a valid choice. {} is not one of the available choices."
SERVER_SAYS = {
    ("/api/series/", "status"): ("5", CHOICE.format("5")),
    ("/api/series/", "language"): ("xx", CHOICE.format("xx")),
}
COLLECTION = {
    "book_format",
    "grade",
    "grading_company",
    "is_read",
    "issue__series",
    "modified_gt",
    "purchase_store",
    "rating",
    "storage_location",
    *(
        f"{name}{suffix}"
        for name in ("date_read", "purchase_date")
        for suffix in ("", "_gt", "_gte", "_lt", "_lte")
    ),
}
"""The filters of a collection, which the schema does not list."""


def filters_of(fake, path):
    return fake._core.state.selection.filters(path.split("/")[2])


def select(path, name, value):
    return FAKE._core.state.selection.select(path.split("/")[2], [], {name: value})


def test_the_fake_has_exactly_the_filters_of_the_schema():
    for path in LISTS:
        if path not in OWN_CODE:
            assert set(filters_of(OLDER, path)) == set(SCHEMA.filters("get", path)), path
    assert set(filters_of(OLDER, "/api/collection/")) == COLLECTION
    for path in [*LISTS, "/api/collection/"]:
        if path not in OWN_CODE:
            newer = set(filters_of(FAKE, path)) - set(filters_of(OLDER, path))
            ranges = {"cover_date_range_after", "cover_date_range_before"}
            assert newer == {"modified_lt"} | (ranges if path == "/api/issue/" else set())


@pytest.mark.parametrize(
    ("path", "name"),
    [(p, n) for p in LISTS if p not in OWN_CODE for n in SCHEMA.filters("get", p)],
)
def test_the_fake_reads_a_filter_as_the_schema_says(path, name):
    schema = SCHEMA.filters("get", path)[name]
    if schema["type"] == "boolean":
        assert select(path, name, "banana") == []  # ignored, as measured
        return
    if "enum" in schema:
        for value in schema["enum"]:
            assert select(path, name, str(value)) == []
        bad, message = "nothing", CHOICE.format("nothing")
    else:
        bad, message = BAD[schema["type"], schema.get("format")]
    bad, message = SERVER_SAYS.get((path, name), (bad, message))
    with pytest.raises(HttpError) as caught:
        select(path, name, bad)
    assert caught.value.reply.status == 400
    (messages,) = caught.value.reply.body.values()
    assert messages == [message]


# -- inputs ----------------------------------------------------------------------------------------

KINDS = {
    **{f"/api/{kind}/": kind for kind in SCHEMAS if "." not in kind and kind != "scrobble"},
    "/api/collection/add/": "collection.add",
    "/api/collection/{id}/": "collection.rate",
    "/api/collection/scrobble/": "scrobble",
    "/api/wish_list/items/add/": "wish_list.add",
    "/api/wish_list/items/{item_pk}/acquire/": "wish_list.acquire",
}
WRITES = sorted(
    (method, path)
    for method, path in SCHEMA.operations()
    if method in {"post", "put"} and "requestBody" in SCHEMA.operations()[method, path]
)


def kind_of(path):
    return KINDS.get(path) or KINDS[path.replace("{id}/", "")]


def test_every_write_of_the_schema_has_a_schema_of_the_fake():
    assert {kind_of(path) for _, path in WRITES} == set(SCHEMAS) - {"pull_list.add"}


NEWER = {"issue": {"desc_is_solicitation"}}
MEASURED_AS_REQUIRED = {"universe": {"designation"}}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_the_fake_takes_what_the_schema_says(method, path):
    fake, fields = SCHEMAS[kind_of(path)], SCHEMA.body(method, path)
    content = SCHEMA.operations()[method, path]["requestBody"]["content"]
    assert set(fake.accepts) == set(content)
    assert set(fake.fields) - NEWER.get(kind_of(path), set()) == set(fields)
    component = SCHEMA.resolve(next(iter(content.values()))["schema"])
    required = set(component.get("required", ())) & set(fields)
    assert set(fake.required) - required == MEASURED_AS_REQUIRED.get(kind_of(path), set())
    assert required <= set(fake.required)


UNCHECKED = {("collection.add", "quantity"), ("issue", "price"), ("variant", "price")}
"""Limits that the server leaves to its database; beyond them it is a 500."""


def cases_of(prop):
    """Return values that a property must refuse, each with a part of the server's message."""
    if prop.get("nullable") is not True and not SCHEMA.nullable(prop):
        yield None, "This field may not be null."
    if SCHEMA.choices(prop):
        yield "nothing", '"nothing" is not a valid choice.'
        return
    if "maxLength" in prop:
        most = prop["maxLength"]
        yield "x" * (most + 1), f"Ensure this field has no more than {most} characters."
    for name, step, words in (("maximum", 1, "less than"), ("minimum", -1, "greater than")):
        if name in prop:
            limit = prop[name]
            yield limit + step, f"Ensure this value is {words} or equal to {limit}."
    if prop.get("format") == "date":
        yield "soon", "Date has wrong format."
    if prop.get("format") == "date-time":
        yield "soon", "Datetime has wrong format."
    if prop.get("format") == "decimal":
        yield "nothing", "A valid number is required."
    if prop.get("type") == "array":
        yield {}, 'Expected a list of items but got type "dict".'


@pytest.mark.parametrize(
    ("kind", "name", "prop"),
    [
        pytest.param(kind_of(path), name, prop, id=f"{kind_of(path)}-{name}")
        for method, path in WRITES
        if method == "post" or path == "/api/collection/{id}/"
        for name, prop in SCHEMA.body(method, path).items()
    ],
)
def test_the_fake_has_the_limits_of_the_schema(kind, name, prop):
    if (kind, name) in UNCHECKED or name == "image":
        return
    field = SCHEMAS[kind].fields[name]
    for value, message in cases_of(prop):
        with pytest.raises(InvalidError) as caught:
            field.read(value, False)
        assert caught.value.messages[0].startswith(message), value
    if SCHEMA.nullable(prop):
        assert field.read(None, False) in (None, ())
    for value in SCHEMA.choices(prop) or ():
        assert field.read(value, False) == (value if value is not None else None)


# -- recorded requests -----------------------------------------------------------------------------


def test_recorded_filters_are_those_of_the_schema():
    for exchange in EXCHANGES:
        if exchange["response"]["status"] in {301, 405}:
            continue
        method, path = operation_of(exchange)
        known = set(SCHEMA.filters(method, path)) | {"page"}
        known |= COLLECTION if path == "/api/collection/" else set()
        unknown = set(exchange["request"].get("params", {})) - known
        ignored = (
            {"series"} if exchange["name"] == "issue.list.unknown_filter_is_ignored" else set()
        )
        assert unknown == ignored, exchange["name"]


TAKEN_OTHERWISE = {
    # The schema lists USD and GBP for the object that is one form of a price.
    "post /api/issue/ price.currency: 'EUR' is not allowed",
    "post /api/issue/ price: dict, not string",
}


def test_recorded_inputs_that_the_server_took_fit_the_schema():
    found = set()
    for exchange in EXCHANGES:
        request, status = exchange["request"], exchange["response"]["status"]
        sent = request.get("json", request.get("form"))
        if sent is None or status not in {200, 201}:
            continue
        method, path = operation_of(exchange)
        if path == "/api/pull_list/series/add/":
            continue  # The schema says query, the server reads the body.
        properties = SCHEMA.body(method, path)
        for row in sent if isinstance(sent, list) else [sent]:
            assert set(row) <= set(properties)
            for name, value in row.items():
                if "form" in request and name == "price":
                    value = json.loads(value)  # noqa: PLW2901 - an object travels as a string
                found |= SCHEMA.problems(value, properties[name], f"{method} {path} {name}")
    assert found == TAKEN_OTHERWISE
