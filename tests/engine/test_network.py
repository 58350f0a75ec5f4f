"""Which transports lead to a network, and what the environment may say about proxies."""

import importlib.util

import httpx
import pytest

from metron_async import AsyncMetron, ConfigurationError
from metron_async._engine import network
from metron_async.testing import FakeMetron

ROOT = "https://metron.cloud/api/"
MOCK = httpx.MockTransport(lambda _: httpx.Response(200))
REAL = httpx.AsyncHTTPTransport()


async def app(scope, receive, send):
    raise NotImplementedError


class Wrapper(httpx.AsyncBaseTransport):
    """Wraps another transport, as those for tracing and retries do."""

    def __init__(self, inner):
        self._transport = inner


class Unknown(httpx.AsyncBaseTransport):
    """Sends by other means than httpx's own transport."""


@pytest.mark.parametrize(
    ("transport", "leads"),
    [
        (None, True),
        (REAL, True),
        (MOCK, False),
        (httpx.ASGITransport(app), False),
        (FakeMetron(issues=10).transport(), False),
        (Wrapper(REAL), True),
        (Wrapper(MOCK), False),
        (Wrapper(Wrapper(MOCK)), False),
        (Unknown(), True),
    ],
)
def test_whether_a_transport_leads_to_a_network(transport, leads):
    assert network.is_network_transport(transport, None, ROOT) is leads
    if transport is not None:
        lent = httpx.AsyncClient(transport=transport)
        assert network.is_network_transport(None, lent, ROOT) is leads


def test_mounts_are_respected():
    mounted = httpx.AsyncClient(mounts={"https://metron.cloud": MOCK})
    assert not network.is_network_transport(None, mounted, ROOT)
    assert network.is_network_transport(None, mounted, "https://metron.example/api/")


def test_a_wrapper_of_itself_comes_to_an_end():
    loop = Wrapper(None)
    loop._transport = loop
    assert network.is_network_transport(loop, None, ROOT)


def test_a_library_that_patches_httpx_is_noticed(respx_mock):
    assert not network.is_network_transport(None, None, ROOT)
    assert not network.is_network_transport(REAL, None, ROOT)


def test_types_are_checked():
    network.check_transport(None, None)
    with pytest.raises(ConfigurationError, match="mutually exclusive"):
        network.check_transport(MOCK, httpx.AsyncClient())
    with pytest.raises(ConfigurationError, match=r"must be an httpx\.AsyncClient"):
        network.check_transport(None, httpx.Client())
    with pytest.raises(ConfigurationError, match="AsyncBaseTransport"):
        network.check_transport(httpx.HTTPTransport(), None)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"ALL_PROXY": "socks5://proxy.example:1080"}, "ALL_PROXY names a SOCKS proxy"),
        ({"ALL_PROXY": "socks://proxy.example:1080"}, "ALL_PROXY is not"),
        ({"HTTPS_PROXY": "ftp://proxy.example"}, "HTTPS_PROXY is not"),
        ({"HTTPS_PROXY": "http://[::1"}, "HTTPS_PROXY is not"),
        ({"HTTPS_PROXY": "http://proxy.example:99999"}, "HTTPS_PROXY is not"),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY is not"),
        ({"https_proxy": "ftp://proxy.example"}, "HTTPS_PROXY is not"),
        ({"SSL_CERT_FILE": "/nowhere/at.all"}, "SSL_CERT_FILE"),
        ({"SSL_CERT_FILE": __file__}, "SSL_CERT_FILE"),
        ({"SSLKEYLOGFILE": "/nowhere/at.all"}, "SSLKEYLOGFILE"),
        ({"METRON_TOKEN_FILE": "/nowhere/at.all"}, "METRON_TOKEN_FILE"),
    ],
)
def test_what_the_environment_gets_wrong_is_named_by_the_constructor(
    monkeypatch, environment, message
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    token = None if "METRON_TOKEN_FILE" in environment else "t0ken"
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=message):
        AsyncMetron(token, cache=None)
    if token:  # what is not used is not checked
        AsyncMetron(token, transport=MOCK)
        AsyncMetron(token, base_url="http://127.0.0.1:8000", cache=None)


@pytest.mark.parametrize("excluded", ["fe80::/10", "[::1]", "::1, 10.0.0.0/8", " ", "*"])
async def test_odd_exceptions_from_the_proxy_do_no_harm(monkeypatch, excluded):
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", excluded)
    client = network.open_client(None, ROOT)
    await client.aclose()


@pytest.mark.parametrize(("excluded", "used"), [("", True), ("metron.cloud", False)])
def test_a_server_can_be_excepted_from_the_proxy(monkeypatch, excluded, used):
    monkeypatch.setenv("HTTPS_PROXY", "ftp://proxy.example")
    monkeypatch.setenv("NO_PROXY", excluded)
    if used:
        with pytest.raises(ConfigurationError):
            network.check_environment(ROOT)
    else:
        network.check_environment(ROOT)


def test_no_home_directory_is_a_configuration_error(monkeypatch):
    def homeless(*_, **__):
        msg = "could not determine the home directory"
        raise RuntimeError(msg)

    monkeypatch.setattr("platformdirs.user_cache_dir", homeless)
    with pytest.raises(ConfigurationError, match="Set HOME"):
        AsyncMetron("t0ken")
