"""Replays the recorded requests, and compares status, headers, errors and body shapes."""

import base64
import json
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
from support import contract

from metron_async.testing import FakeMetron, run_virtual

EXCHANGES = json.loads(
    (Path(__file__).parent.parent / "data" / "exchanges.json").read_text(encoding="utf-8")
)
HOST = "https://metron.cloud"
SAME_HEADERS = (
    "content-type",
    "content-language",
    "allow",
    "vary",
    "www-authenticate",
    "location",
)
PRESENT_HEADERS = ("last-modified", "x-cache", "retry-after", "date")
RATE = tuple(
    f"x-ratelimit-{window}-{what}"
    for window in ("burst", "sustained")
    for what in ("limit", "remaining", "reset")
)


class Replay:
    """Translates recorded requests to the fake's catalogue, where the recording's differs."""

    def __init__(self) -> None:
        # As many issues as the recorded server had: so pages and ids of new issues agree.
        self.fake = FakeMetron(issues=2997, public_url=HOST, newer=False)
        self.fake.accounts["editor"].may_delete = True  # a superuser in the recording
        self.last_modified: dict[str, str] = {}
        self.gaps = "15"
        self.created_series = "201"
        year = self.fake.catalogue.today.year
        self.params = {
            "issue.list.filters": {
                "series_name": self.fake.catalogue.tables.series[1].name.lower(),
                "publisher_name": "MARVELLE",
                "store_date_range_after": f"{year - 1}-01-01",
                "store_date_range_before": f"{year + 1}-12-31",
            },
            "issue.list.roles": {"role_id": "1,2", "cover_year": year},
            "pull_list.issues": {
                "store_date_after": f"{year}-01-01",
                "store_date_before": f"{year}-12-31",
            },
        }

    def path(self, name: str, path: str) -> str:
        path = path.replace("/missing_issues/15/", f"/missing_issues/{self.gaps}/")
        return path.replace("/series/201/", f"/series/{self.created_series}/")

    def json(self, body: object) -> object:
        if isinstance(body, dict) and body.get("series") == 201:
            return body | {"series": int(self.created_series)}
        return body

    def headers(self, exchange: dict, path: str) -> dict[str, str]:
        headers = dict(exchange["request"].get("headers", {}))
        if "If-Modified-Since" in headers:
            headers["If-Modified-Since"] = self.last_modified[path]
        account = exchange["account"]
        if exchange["name"] == "auth.bad_password":
            pair = base64.b64encode(b"reader:wrong").decode()
            headers["Authorization"] = f"Basic {pair}"
        elif account is not None:
            headers["Authorization"] = f"Bearer {self.fake.accounts[account].tokens[0]}"
        return headers

    def request(self, client: httpx.AsyncClient, exchange: dict) -> httpx.Request:
        asked, name = exchange["request"], exchange["name"]
        path = self.path(name, asked["path"])
        files = {
            part: ("cover.png", base64.b64decode(content), "image/png")
            for part, content in asked.get("files", {}).items()
        }
        sent: dict = {}
        if "json" in asked:
            sent["json"] = self.json(asked["json"])
        if "form" in asked:
            sent["data"] = self.json(asked["form"])
        return client.build_request(
            asked["method"],
            path,
            params=self.params.get(name, asked.get("params")),
            headers=self.headers(exchange, path),
            files=files or None,
            **sent,
        )

    async def send(self, client: httpx.AsyncClient, exchange: dict) -> httpx.Response:
        name = exchange["name"]
        if not name.startswith("throttle.") or name == "throttle.first":
            self.fake.forgive()
        if name == "throttle.exhausting" and exchange["response"]["headers"][RATE[1]] == "0":
            self.fake.spend("reader2", 14)  # the requests that were not recorded
        request = self.request(client, exchange)
        response = await client.send(request)
        if "last-modified" in response.headers:
            self.last_modified[request.url.path] = response.headers["last-modified"]
        if name == "series.create":
            self.created_series = str(response.json()["id"])
        if name == "collection.missing_series":
            self.gaps = str(response.json()["results"][0]["id"])
        return response


def merge(one: object, other: object) -> object:
    """Return a shape that stands for both."""
    if one in (None, "null"):
        return other
    if other in (None, "null"):
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys()
        return {key: merge(one[key], other[key]) for key in one}
    if isinstance(one, list) and isinstance(other, list):
        return [merge(one[0], other[0])] if one and other else one or other
    assert one == other
    return one


def shape(value: object) -> object:
    """Return keys and types; a list is the merged shape of what is in it."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        merged: object = None
        for item in value:
            merged = merge(merged, shape(item))
        return [merged] if value else []
    return "null" if value is None else type(value).__name__


def compare(exchange: dict, response: httpx.Response) -> None:
    recorded = exchange["response"]
    assert response.status_code == recorded["status"], response.text[:300]
    for name in SAME_HEADERS:
        assert response.headers.get(name) == recorded["headers"].get(name), name
    for name in PRESENT_HEADERS:
        assert (name in response.headers) == (name in recorded["headers"]), name
    body = recorded["body"]
    if body is None:
        assert response.content == b""
    elif recorded["status"] >= 400:
        assert response.json() == body
    else:
        body.pop("_truncated", None) if isinstance(body, dict) else None
        merge(shape(body), shape(response.json()))


def compare_rates(exchange: dict, response: httpx.Response) -> None:
    """Limits and what remains must agree; 401 and 403 carry nothing."""
    recorded = exchange["response"]["headers"]
    if not exchange["name"].startswith("throttle."):
        free = response.status_code in {301, 401, 403}
        assert all((name in response.headers) != free for name in RATE)
        return
    for name in RATE:
        assert (name in response.headers) == (name in recorded)
        if name in recorded and not name.endswith("reset"):
            assert response.headers[name] == recorded[name], name


@pytest.fixture(scope="module")
def replayed() -> list[tuple[dict, httpx.Response]]:
    async def run() -> list[tuple[dict, httpx.Response]]:
        replay = Replay()
        async with httpx.AsyncClient(
            transport=replay.fake.transport(), base_url=HOST, headers={"User-Agent": "replay"}
        ) as client:
            found = [(exchange, await replay.send(client, exchange)) for exchange in EXCHANGES]
        assert not replay.fake.bans
        return found

    return run_virtual(run())


@pytest.mark.parametrize(
    "position", range(len(EXCHANGES)), ids=[exchange["name"] for exchange in EXCHANGES]
)
def test_the_fake_responds_as_the_server_did(replayed, position):
    exchange, response = replayed[position]
    compare(exchange, response)
    compare_rates(exchange, response)


def test_the_number_of_pages_and_links_agree(replayed):
    by_name = {exchange["name"]: (exchange, response) for exchange, response in replayed}
    for name in ("issue.list", "issue.list.page_full", "issue.list.last_page"):
        exchange, response = by_name[name]
        recorded, found = exchange["response"]["body"], response.json()
        assert [found[key] for key in ("count", "next", "previous")] == [
            recorded[key] for key in ("count", "next", "previous")
        ]
    unknown = by_name["issue.list.unknown_filter_is_ignored"][1].json()
    assert unknown["next"] == f"{HOST}/api/issue/?page=2&series=1"


def test_resets_lie_where_the_oldest_request_leaves(replayed):
    first = next(r for e, r in replayed if e["name"] == "throttle.first")
    now = parsedate_to_datetime(first.headers["date"]).timestamp()
    assert int(first.headers[RATE[2]]) - now == 60
    assert int(first.headers[RATE[5]]) - now == 86_400


def test_the_fakes_responses_fit_the_schema_where_the_servers_did(replayed):
    for exchange, response in replayed:
        if response.status_code in {200, 201} and contract.operation_of(exchange) not in (
            contract.NOT_DESCRIBED
        ):
            found = contract.response_problems(exchange, response.status_code, response.json())
            assert found <= contract.RECORDED_OTHERWISE
