"""Who calls: which credentials are taken, which refused, and that no secret ever shows."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from metron_async import ConfigurationError
from metron_async._engine.credentials import Credentials, resolve_credentials, scoped_key

TOKEN, NAME, PASSWORD = "t0ken-abc", "anna", "pa55word"


@pytest.mark.parametrize(
    ("arguments", "environment", "header"),
    [
        ((TOKEN, None, None), {}, f"Bearer {TOKEN}"),
        ((TOKEN, None, None), {"METRON_USERNAME": "x"}, f"Bearer {TOKEN}"),
        ((None, None, None), {"METRON_TOKEN": TOKEN}, f"Bearer {TOKEN}"),
        (
            (None, None, None),
            {"METRON_TOKEN": TOKEN, "METRON_USERNAME": "x", "METRON_PASSWORD": "y"},
            f"Bearer {TOKEN}",
        ),
        ((None, NAME, PASSWORD), {"METRON_TOKEN": TOKEN}, "Basic YW5uYTpwYTU1d29yZA=="),
        (
            (None, None, None),
            {"METRON_TOKEN": "", "METRON_USERNAME": NAME, "METRON_PASSWORD": PASSWORD},
            "Basic YW5uYTpwYTU1d29yZA==",
        ),
    ],
)
def test_arguments_come_before_the_environment(arguments, environment, header):
    assert resolve_credentials(*arguments, environment).header == header


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ((None, None, None), {}, "No credentials"),
        ((None, None, None), {"METRON_TOKEN": ""}, "No credentials"),
        ((None, NAME, None), {}, "(username|USERNAME) is set but"),
        ((None, None, PASSWORD), {}, "(password|PASSWORD) is set but"),
        ((None, None, None), {"METRON_USERNAME": NAME}, "(username|USERNAME) is set but"),
        ((None, None, None), {"METRON_PASSWORD": PASSWORD}, "(password|PASSWORD) is set but"),
        ((TOKEN, NAME, None), {}, "not both"),
        ((TOKEN, None, PASSWORD), {}, "not both"),
        (("", None, None), {"METRON_TOKEN": TOKEN}, "token is empty"),
        (("  ", None, None), {}, "token is empty"),
        (("Bearer abc", None, None), {}, "without the word Bearer"),
        (("abc\r\nX: y", None, None), {}, "cannot be sent"),
        (("abc\x7f", None, None), {}, "cannot be sent"),
        (("tökén", None, None), {}, "cannot be sent"),
        ((None, "an:na", PASSWORD), {}, "colon"),
        ((None, "an\nna", PASSWORD), {}, "cannot be sent"),
        ((None, NAME, ""), {}, "password is empty"),
        ((None, "", PASSWORD), {}, "username is empty"),
        ((123, None, None), {}, "must be a string"),
        ((None, 123, PASSWORD), {}, "must be a string"),
        ((None, NAME, b"x"), {}, "must be a string"),
    ],
)
def test_what_cannot_be_used_is_refused_without_being_quoted(arguments, environment, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        resolve_credentials(*arguments, environment)
    for secret in (TOKEN, PASSWORD, "abc"):
        assert secret not in str(caught.value)


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_is_accepted_travels_as_one_header_line(name, password):
    try:
        header = resolve_credentials(None, name, password, {}).header
    except ConfigurationError:
        return
    assert header.isascii()
    assert header.isprintable()
    sent = base64.b64decode(header.removeprefix("Basic ")).decode()
    assert sent == ":".join(one.rstrip("\r\n") for one in (name, password))


def test_a_password_may_have_any_letter():
    header = resolve_credentials(None, "änna", "pässword : ☃", {}).header
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "änna:pässword : ☃"


def test_nothing_shows_a_secret():
    token = Credentials(token=TOKEN)
    basic = Credentials(username=NAME, password=PASSWORD)
    names = [
        repr(token),
        str(basic),
        repr(basic),
        token.account_name(None),
        basic.account_name(None),
        token.cache_name,
        basic.cache_name,
        token.guard_name,
        basic.guard_name,
    ]
    for text in names:
        assert TOKEN not in text
        assert PASSWORD not in text
        assert basic.header not in text
    assert repr(token) == "Credentials(token: hidden)"
    assert repr(basic) == "Credentials(basic: hidden)"
    for credentials in (token, basic):
        shown = pretty_repr(credentials)
        assert "hidden" in shown
        assert TOKEN not in shown
        assert PASSWORD not in shown


def test_accounts_are_told_apart_and_named_alike():
    token, basic = Credentials(token=TOKEN), Credentials(username=NAME, password=PASSWORD)
    assert basic.account_name(None) == token.account_name(NAME)  # one user, one budget
    assert token.account_name(None) == Credentials(token=TOKEN).account_name(None)
    assert token.account_name(None) != Credentials(token="other").account_name(None)
    # The cache is never shared on the word of `account`: it is not proven by anything.
    assert token.cache_name != basic.cache_name
    # Another password is another try, though it is the same account.
    other = Credentials(username=NAME, password="other")
    assert other.guard_name != basic.guard_name
    assert other.account_name(None) == basic.account_name(None)
    # At most 20 bits of a password's digest are ever told.
    assert len(basic.guard_name.rpartition(":")[2]) == 5


@pytest.mark.parametrize("account", ["", "  ", 5])
def test_an_account_needs_a_name(account):
    with pytest.raises(ConfigurationError, match="account must be"):
        Credentials(token=TOKEN).account_name(account)


def test_keys_depend_on_server_and_name():
    keys = {
        scoped_key("https://a", "n"),
        scoped_key("https://b", "n"),
        scoped_key("https://a", "m"),
    }
    assert len(keys) == 3
    assert all(len(key) == 40 and key.isalnum() for key in keys)
