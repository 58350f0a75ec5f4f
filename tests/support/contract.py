"""The committed schema and recordings, and where the server deviates from its own schema."""

import json
from pathlib import Path

from support.openapi import Schema

DATA = Path(__file__).parents[1] / "data"
SCHEMA = Schema(json.loads((DATA / "openapi.json").read_bytes()))
EXCHANGES = json.loads((DATA / "exchanges.json").read_bytes())

RECORDED_OTHERWISE = {
    "IssueRead.average_rating: null",
    "IssueRead.imprint: null",
    "PaginatedPullListSeriesList.results[].series.issue_count: missing",
    "PaginatedReadingListListList.results[].average_rating: null",
    "PullListSeries.series.issue_count: missing",
    "ReadingListRead.next: null",
    "ReadingListRead.previous: null",
    "Series.issue_count: missing",
    "SeriesRead.imprint: null",
}
NOT_DESCRIBED = {
    ("get", "/api/collection/stats/"),
    ("post", "/api/wish_list/items/{item_pk}/acquire/"),
}


def operation_of(exchange):
    method = exchange["request"]["method"].lower()
    return method, SCHEMA.template(method, exchange["request"]["path"])


def response_problems(exchange, status, body):
    """Return where the body of a response differs from the schema."""
    responses = SCHEMA.operations()[operation_of(exchange)]["responses"]
    described = responses.get(str(status)) or responses["200"]
    if "content" not in described:
        return {f"{operation_of(exchange)} is not described"}
    schema = described["content"]["application/json"]["schema"]
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "_truncated"}
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    rows = body if isinstance(body, list) else [body]
    return set().union(*(SCHEMA.problems(row, schema, name) for row in rows))
