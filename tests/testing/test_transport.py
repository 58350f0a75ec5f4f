"""Latency, losses, bans and faults, in process and on virtual time."""

import asyncio

import httpx
import pytest
from support.bare import HOST, client_of
from support.virtual import on_virtual_time

from metron_async.testing import FakeMetron, Fault


def elapsed():
    return asyncio.get_running_loop().time()


@on_virtual_time
async def test_latency_is_virtual_and_the_throttle_decides_on_arrival():
    fake = FakeMetron(issues=20, burst=1)
    fake.latency = lambda: (3.0, 2.0)
    async with client_of(fake, timeout=60) as client:
        assert (await client.get("role/")).status_code == 200
        assert elapsed() == 5.0
        start = fake.clock.steady() - 5.0
        assert fake.requests[0].time - start == 3.0
        # Arrives at 63.0 seconds: 60 after the first one, though sent 60 before that.
        await asyncio.sleep(60 - 5.0)
        assert (await client.get("role/")).status_code == 200


@on_virtual_time
async def test_random_latency_is_the_same_for_the_same_seed():
    times = []
    for _ in range(2):
        fake = FakeMetron(issues=20, throttle=False, seed=7)
        fake.latency = (0.01, 0.5)
        begin = elapsed()
        async with client_of(fake) as client:
            for _ in range(10):
                await client.get("role/")
        times.append(elapsed() - begin)
    assert times[0] == pytest.approx(times[1])
    assert 0.1 < times[0] < 5.0
    assert fake.latency == (0.01, 0.5)


@on_virtual_time
async def test_a_client_that_disconnects_is_a_499_and_is_counted():
    fake = FakeMetron(issues=20)
    fake.latency = 1.0
    async with client_of(fake) as client:
        task = asyncio.create_task(client.get("role/"))
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(httpx.ReadTimeout):
            await client.get("role/", timeout=0.5)
        await asyncio.sleep(2)
        assert [asked.status for asked in fake.requests] == [499, 499]
        assert (await client.get("role/")).headers["x-ratelimit-burst-remaining"] == "17"


@on_virtual_time
async def test_a_request_without_latency_that_is_cancelled_reaches_the_server_too():
    fake = FakeMetron(issues=20)
    transport = fake.transport()
    headers = {"Authorization": f"Bearer {fake.token}", "User-Agent": "test/1"}
    request = httpx.Request("GET", f"{HOST}/api/role/", headers=headers)
    task = asyncio.create_task(transport.handle_async_request(request))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [asked.status for asked in fake.requests] == [499]
    async with client_of(fake) as client:
        assert (await client.get("role/")).headers["x-ratelimit-burst-remaining"] == "18"


@on_virtual_time
async def test_twenty_disconnections_bring_a_ban_of_the_address():
    fake = FakeMetron(issues=20, throttle=False)
    fake.latency = 1.0
    async with client_of(fake, timeout=httpx.Timeout(0.5, connect=7)) as client:
        for _ in range(20):
            with pytest.raises(httpx.ReadTimeout):
                await client.get("role/")
        assert [(ban.client, ban.event) for ban in fake.bans] == [("127.0.0.1", "499")]
        await asyncio.sleep(5)
        fake.latency = 0.0
        begin = elapsed()
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("role/")
        assert elapsed() - begin == 7
    async with client_of(fake, client="10.0.0.2") as other:
        assert (await other.get("role/")).status_code == 200
    async with client_of(fake, timeout=None) as patient:
        begin = elapsed()
        with pytest.raises(httpx.ConnectTimeout):
            await patient.get("role/")
        assert elapsed() - begin >= 3600
        assert (await patient.get("role/")).status_code == 200  # the hour is over
    assert fake.requests[-2].status == 0


@on_virtual_time
async def test_three_401s_ban_for_a_day_and_forgiving_lifts_it():
    fake = FakeMetron(issues=20)
    async with client_of(fake, timeout=1) as client:
        for _ in range(3):
            await client.get("role/", headers={"Authorization": "Bearer no"})
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("role/")
        await asyncio.sleep(86_300)
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("role/")
        fake.forgive()
        assert (await client.get("role/")).status_code == 200


@on_virtual_time
async def test_refused_user_agents():
    fake = FakeMetron(issues=20, throttle=False)
    async with client_of(fake, timeout=1) as client:
        denied = await client.get("role/", headers={"User-Agent": "LinkupBot"})
        assert denied.status_code == 200
        assert "html" in denied.headers["content-type"]
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("role/", headers={"User-Agent": "x SpinnerRack/1"})
        for turn in range(5):
            request = client.build_request("GET", "role/")
            del request.headers["User-Agent"]
            if turn < 4:
                await client.send(request)
            else:
                with pytest.raises(httpx.ConnectTimeout):
                    await client.send(request)
    async with client_of(fake, client="10.0.0.3", timeout=1) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("role/", headers={"User-Agent": "comictagger/1"})
    assert [ban.event for ban in fake.bans] == ["no user agent", "comictagger"]
    harmless = FakeMetron(issues=20, bans=False)
    async with client_of(harmless) as client:
        agent = {"User-Agent": "comictagger/1"}
        assert (await client.get("role/", headers=agent)).status_code == 200


@on_virtual_time
async def test_quota_costs_of_lost_connections():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        for fault, error in (
            (Fault.connect_error(), httpx.ConnectError),
            (Fault.drop_before(), httpx.RemoteProtocolError),
            (Fault.drop_after(), httpx.RemoteProtocolError),
            (Fault.cut_body(), httpx.RemoteProtocolError),
        ):
            fake.faults.add(fault)
            with pytest.raises(error):
                await client.get("role/")
        assert [asked.status for asked in fake.requests] == [0, 0, 0, 200]
        assert (await client.get("role/")).headers["x-ratelimit-burst-remaining"] == "17"


@on_virtual_time
async def test_a_slow_server_times_out():
    fake = FakeMetron(issues=20)
    fake.faults.add(Fault.latency(65))
    async with client_of(fake) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("role/", timeout=61)
        await asyncio.sleep(60)
    assert fake.requests[0].status == 499


@on_virtual_time
async def test_the_proxy_gives_up_after_a_minute():
    fake = FakeMetron(issues=20)
    fake.faults.add(Fault.gateway_timeout())
    async with client_of(fake, timeout=65) as client:
        slow = await client.get("role/")
        assert (slow.status_code, elapsed()) == (504, 60.0)
        assert "x-ratelimit-burst-limit" not in slow.headers
        # The slow request cost a slot, which is free again after these 60 seconds.
        assert (await client.get("role/")).headers["x-ratelimit-sustained-remaining"] == "4998"


@on_virtual_time
async def test_closing_the_transport_cancels_requests_in_flight():
    fake = FakeMetron(issues=20)
    fake.latency = 1000.0
    client = httpx.AsyncClient(transport=fake.transport(), base_url=HOST, timeout=1)
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/api/role/")
    await client.aclose()
    assert len(asyncio.all_tasks()) == 1


BODIES = {
    "truncated": Fault.truncated(),
    "garbled": Fault.garbled(),
    "empty body": Fault.empty_body(),
    "html page": Fault.html_page(),
    "nginx": Fault.status(504),
}


@pytest.mark.parametrize("name", BODIES)
@on_virtual_time
async def test_bodies_that_are_not_json(name):
    fake = FakeMetron(issues=20)
    fake.faults.add(BODIES[name])
    async with client_of(fake) as client:
        response = await client.get("issue/")
        with pytest.raises(ValueError, match=r"[a-z]"):
            response.json()
        assert response.status_code == (504 if name == "nginx" else 200)
        is_proxy = name in {"html page", "nginx"}
        assert ("x-ratelimit-burst-limit" in response.headers) != is_proxy
        assert (await client.get("issue/")).json()["count"] == 20


@on_virtual_time
async def test_other_bodies_and_headers():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        fake.faults.add(Fault.bad_gzip())
        with pytest.raises(httpx.DecodingError):
            await client.get("issue/")
        fake.faults.add(Fault.gzip_bomb(1_000_000))
        assert len((await client.get("issue/")).content) == 1_000_000
        fake.faults.add(Fault.huge_body(1000))
        assert (await client.get("issue/")).content.startswith(b" " * 1000)
        fake.faults.add(Fault.content_type())
        assert (await client.get("issue/")).headers["content-type"] == "text/plain"
        fake.faults.add(Fault.no_rate_headers())
        assert "x-ratelimit-burst-limit" not in (await client.get("issue/")).headers
        fake.faults.add(Fault.status(503, page=False, retry_after="5"))
        refused = await client.get("issue/")
        assert refused.json() == {"detail": "A server error occurred."}
        assert refused.headers["retry-after"] == "5"
        fake.faults.add(Fault.headers(x_cache="HIT"))
        assert (await client.get("issue/")).headers["x-cache"] == "HIT"


@on_virtual_time
async def test_inconsistent_lists():
    fake = FakeMetron(issues=450, throttle=False)
    page = "issue/?page=2"
    async with client_of(fake) as client:

        async def body(fault, path=page):
            fake.faults.add(fault)
            return (await client.get(path)).json()

        first = (await client.get("issue/")).json()["results"]
        repeated = await body(Fault.repeated_page())
        assert repeated["results"] == first
        assert repeated["next"].endswith("?page=3")
        assert (await body(Fault.repeated_page(), "issue/?page=5"))["next"] is None
        assert (await body(Fault.repeated_page(), "issue/5/"))["id"] == 5
        assert (await body(Fault.looping_next()))["next"] == f"{HOST}/api/{page}"
        assert (await body(Fault.foreign_next()))["next"].startswith("https://evil.example/api/")
        assert (await body(Fault.foreign_next(), "issue/?page=5"))["next"] is None
        assert (await body(Fault.http_next()))["next"].startswith("http://metron.cloud/")
        assert (await body(Fault.detail_instead()))["number"]
        assert (await body(Fault.detail_instead(), "issue/?series_id=99999")) == {"id": 1}
        assert len((await body(Fault.lost_rows(3)))["results"]) == 97
        assert (await body(Fault.recounted(-5)))["count"] == 445
        assert (await body(Fault.json(lambda body: [body]))) != {}
        grown = await body(Fault.during(lambda: fake.add_issue(1, "500")))
        assert grown["count"] == 451


@on_virtual_time
async def test_redirects():
    fake = FakeMetron(issues=20)
    async with client_of(fake) as client:
        for fault, location in (
            (Fault.redirect("/elsewhere/"), "/elsewhere/"),
            (Fault.redirect_host(), "https://evil.example/api/issue/?page=1"),
            (Fault.redirect_http(), "http://metron.cloud/api/issue/?page=1"),
            (Fault.redirect_loop(), f"{HOST}/api/issue/?page=1"),
        ):
            fake.faults.add(fault)
            response = await client.get("issue/?page=1")
            assert response.status_code == 302
            assert response.headers["location"] == location


@on_virtual_time
async def test_faults_affect_the_requests_that_they_are_planned_for():
    fake = FakeMetron(issues=20, throttle=False)
    some = fake.faults.add(Fault.status(500), path="/api/issue/*", times=2, skip=1)
    exact = fake.faults.add(Fault.status(502), path="/api/role/", method="get", times=None)
    chosen = fake.faults.add(Fault.status(503), path=lambda request: "x" in request.params)
    async with client_of(fake) as client:
        paths = ["issue/1/", "issue/2/", "issue/", "issue/3/", "role/", "role/", "arc/?x=1", "arc/"]
        statuses = [(await client.get(path)).status_code for path in paths]
        assert statuses == [200, 500, 500, 200, 502, 502, 503, 200]
        assert (some.met, exact.met, chosen.met) == (2, 2, 1)
        assert (await client.post("role/")).status_code == 403
        fake.faults.clear()
        assert (await client.get("role/")).status_code == 200
