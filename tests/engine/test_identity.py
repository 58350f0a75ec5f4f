"""User-Agent and base_url: what is sent, and what is refused before anything is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async import ConfigurationError
from metron_async._engine.identity import DENIED_AGENTS, api_root_of, origin_of_url, user_agent


def test_ours_comes_first_and_the_application_follows():
    assert user_agent(None).startswith("metron_async/")
    assert user_agent(" my-bot/2.1 (me@example.org) ") == (
        user_agent(None) + " my-bot/2.1 (me@example.org)"
    )


@pytest.mark.parametrize("denied", DENIED_AGENTS)
@pytest.mark.parametrize("form", ["{}", "x {}", "{}/9", "X-{}-Y"])
def test_what_the_firewall_denies_is_refused(denied, form):
    for spelling in (denied, denied.upper(), denied.lower()):
        with pytest.raises(ConfigurationError, match="firewall bans"):
            user_agent(form.format(spelling))


@pytest.mark.parametrize("agent", ["", "   ", "bot\r\nX: y", "bót", "a\tb", "\x00", 5])
def test_what_cannot_be_sent_is_refused(agent):
    with pytest.raises(ConfigurationError, match="user_agent"):
        user_agent(agent)


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://metron.cloud", "https://metron.cloud/api/"),
        ("https://metron.cloud/", "https://metron.cloud/api/"),
        ("https://metron.cloud/api", "https://metron.cloud/api/"),
        ("https://metron.cloud/api/", "https://metron.cloud/api/"),
        ("HTTPS://Metron.Cloud:443", "https://metron.cloud/api/"),
        ("https://example.org/metron", "https://example.org/metron/api/"),
        ("https://example.org:8443/metron/api/", "https://example.org:8443/metron/api/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/"),
        ("http://127.9.9.9", "http://127.9.9.9/api/"),
        ("http://localhost:8000", "http://localhost:8000/api/"),
        ("http://[::1]:8000", "http://[::1]:8000/api/"),
    ],
)
def test_the_root_of_the_api(url, root):
    assert api_root_of(url) == root
    assert api_root_of(root) == root


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "absolute https URL"),
        ("metron.cloud", "absolute https URL"),
        ("//metron.cloud", "absolute https URL"),
        ("ftp://metron.cloud", "absolute https URL"),
        ("https://", "absolute https URL"),
        ("https:///api", "absolute https URL"),
        ("https://user@metron.cloud", "must not contain credentials"),
        ("https://user:s3cret@metron.cloud", "must not contain credentials"),
        ("https://@metron.cloud", "must not contain credentials"),
        ("https://metron.cloud?x=s3cret", "query or a fragment"),
        ("https://metron.cloud/#s3cret", "query or a fragment"),
        ("http://metron.cloud", "Plain http"),
        ("http://127.0.0.1.evil.example", "Plain http"),
        ("http://localhost.evil.example", "Plain http"),
        ("http://192.168.0.1", "Plain http"),
        ("http://0.0.0.0", "Plain http"),
        ("https://metron.cloud:99999", "host or port"),
        ("https://user:s3cret/x@metron.cloud", "host or port"),
        ("https://[::1", "host or port"),
        ("https://metron cloud", "without spaces"),
        (" https://metron.cloud", "without spaces"),
        ("https://metron.cloud\n", "without spaces"),
        ("https://mëtron.cloud", "ASCII string"),
        ("https://metron.cloud\\@evil.example", "ASCII string"),
        (5, "ASCII string"),
        (None, "ASCII string"),
    ],
)
def test_other_urls_are_refused_and_never_quoted(url, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        api_root_of(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@given(st.text() | st.from_regex(r"https?://[!-~]{0,30}", fullmatch=True))
def test_a_url_is_taken_or_refused_but_never_breaks_anything(url):
    try:
        root = api_root_of(url)
    except ConfigurationError:
        return
    assert root.endswith("/api/")
    assert "@" not in origin_of_url(root)
    assert api_root_of(root) == root


def test_the_origin():
    assert origin_of_url("https://metron.cloud:8443/api/") == "https://metron.cloud:8443"
