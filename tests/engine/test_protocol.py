"""What the server's answers mean."""

import contextlib
import gzip
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async import (
    AuthenticationError,
    DecodeError,
    InterceptedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StatusError,
    ValidationError,
)
from metron_async._engine.messages import Request, Response
from metron_async._engine.protocol import (
    check_success,
    decompress,
    error_of,
    redirect_path,
)

ROOT = "https://metron.cloud/api/"
GET = Request("issue/7/", params=(("page", "2"),))
POST = Request("issue/", method="POST")
JSON = {"content-type": "application/json"}


# -- Bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["", "identity", "gzip", "x-gzip", "GZIP", " gzip ", "deflate"]
)
def test_codings_are_undone(encoding):
    body = b'{"id": 1}'
    packed = body
    if "gzip" in encoding.lower():
        packed = gzip.compress(body, mtime=0)
    elif encoding == "deflate":
        packed = zlib.compress(body)
    assert decompress(packed, encoding, 100) == body


def test_codings_are_undone_in_reverse_order():
    packed = gzip.compress(zlib.compress(b"x"))
    assert decompress(packed, "deflate, gzip", 100) == b"x"


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b"x" * 101, "", "longer than 100 bytes"),
        (gzip.compress(b"x" * 101, mtime=0), "gzip", "longer than 100 bytes"),
        (gzip.compress(b"x" * 50_000_000, mtime=0), "gzip", "longer than 100 bytes"),
        (gzip.compress(b"x" * 50, mtime=0)[:-9], "gzip", "cut short"),
        (b"", "gzip", "cut short"),
        (b"\x1f\x8b nonsense", "gzip", "damaged"),
        (b"plain", "gzip", "damaged"),
        (gzip.compress(b"x" * 50, mtime=0)[:-8] + b"12345678", "gzip", "damaged"),
        (b"x", "br", "unknown content coding 'br'"),
        (b"x", "z" * 10_000, "unknown content coding 'z{40}'"),
    ],
)
def test_other_bodies_are_refused(body, encoding, message):
    with pytest.raises(ValueError, match=message):
        decompress(body, encoding, 100)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "gzip, gzip", "identity"]))
def test_no_body_breaks_anything(body, encoding):
    with contextlib.suppress(ValueError):
        assert len(decompress(body, encoding, 100)) <= 100


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "a/b+json"]
)
def test_json_is_a_success(kind):
    check_success(GET, Response(200, {"content-type": kind}, b"{}"))


def test_a_deletion_needs_no_body_and_a_read_does():
    check_success(POST, Response(204, {}))
    with pytest.raises(DecodeError, match="empty"):
        check_success(GET, Response(204, {}))


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Response(200, JSON, b"", damage="cut short"), "cannot be read: cut short"),
        (Response(200, {"content-type": "text/html"}, b"<p>"), "HTML page"),
        (Response(200, JSON, b"<!doctype html>"), "HTML page"),
        (Response(200, {"content-type": "text/html; charset=utf-8"}, b"{}"), "HTML page"),
        (Response(200, {"content-type": "text/plain"}, b"{}"), "content type 'text/plain'"),
        (Response(200, {}, b"{}"), "content type ''"),
        (Response(200, {"content-type": "x" * 1000}, b"{}"), "content type 'x{60}'"),
        (Response(200, JSON, b""), "empty"),
        (Response(200, {"content-type": "text/html"}, b""), "empty"),
    ],
)
def test_what_is_no_success_says_why_and_where(response, message):
    with pytest.raises(DecodeError, match=message) as caught:
        check_success(GET, response)
    assert caught.value.path == "issue/7/?page=2"
    assert caught.value.status == 200


# -- Errors -------------------------------------------------------------------------------------


def answer(status, body, **headers):
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, content)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, AuthenticationError, False),
        (403, PermissionDeniedError, False),
        (404, NotFoundError, False),
        (400, ValidationError, False),
        (405, StatusError, False),
        (415, StatusError, False),
        (429, RateLimitError, True),
        (500, ServerError, True),
        (503, ServerError, True),
        (599, ServerError, True),
    ],
)
def test_every_status_has_its_error(status, kind, retryable):
    error = error_of(GET, answer(status, {"detail": "the server's own words"}))
    assert type(error) is kind
    assert error.status == status
    assert error.path == "issue/7/?page=2"
    assert error.detail == "the server's own words"
    assert error.retryable is retryable
    assert "the server's own words" in str(error)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"5", b'""', b"[]", b"null", b'{"detail":5}'])
@pytest.mark.parametrize("status", [302, 400, 401, 404, 418, 429, 502])
def test_a_body_without_a_message_does_no_harm(status, body):
    error = error_of(GET, Response(status, {}, body))
    assert error.detail is None
    assert error.status == status
    assert str(error)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": ["too long", "odd"]}, {"name": ("too long", "odd")}),
        ({"non_field_errors": ["no"]}, {"non_field_errors": ("no",)}),
        ({"0": {"role": ["unknown"]}}, {"0.role": ("unknown",)}),
        ([{}, {"role": ["unknown"]}], {"1.role": ("unknown",)}),
        ({"a": {"b": {"c": ["deep"]}}}, {"a.b.c": ("deep",)}),
        ({"name": "plain"}, {"name": ("plain",)}),
        ({"name": [{"x": 1}]}, {"name.0.x": ("1",)}),
        ({"name": [["x"]]}, {"name": ("(nested)",)}),
        ({"credits": [{}, {"role": ["required"]}]}, {"credits.1.role": ("required",)}),
        ({"detail": {"x": ["odd"]}}, {"detail.x": ("odd",)}),
        ({"detail": ["one", "two"]}, {"detail": ("one", "two")}),
        (["one", "two"], {"non_field_errors": ("one", "two")}),
        ({"name": None}, {"name": ("None",)}),
    ],
)
def test_field_errors_of_every_shape(body, fields):
    error = error_of(POST, answer(400, body))
    assert error.fields == fields
    assert next(iter(fields.values()))[0] in str(error)


@pytest.mark.parametrize("body", ["Bad thing.", ["Bad thing."], {"detail": ["Bad thing."]}])
def test_a_message_of_its_own_is_the_detail(body):
    error = error_of(POST, answer(400, body))
    assert (error.detail, error.fields) == ("Bad thing.", {})
    assert "Bad thing." in str(error)


def test_the_messages_of_other_statuses_are_in_the_error():
    error = error_of(POST, answer(409, {"name": ["taken"]}))
    assert "name: taken" in str(error)


def test_what_the_server_says_is_bounded():
    many = {f"field{number}": ["x"] for number in range(1000)}
    assert len(error_of(POST, answer(400, many)).fields) == 200
    endless = {f"field{number}": ["x" * 10_000] * 50 for number in range(50)}
    error = error_of(POST, answer(400, endless))
    assert len(str(error)) < 700
    assert all(len(text) <= 500 for texts in error.fields.values() for text in texts)
    assert len(error_of(GET, answer(404, {"detail": "x" * 10_000})).detail) == 500


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"a":[', b'[{"a":'])
@pytest.mark.parametrize("depth", [300, 900, 1500, 100_000])
def test_deep_nesting_is_survived(opening, depth):
    closing = opening.replace(b'"a":', b"").translate(bytes.maketrans(b"[{", b"]}"))[::-1]
    for body in (opening * depth, opening * depth + b"1" + closing * depth):
        assert isinstance(error_of(GET, Response(400, JSON, body)), ValidationError)


def test_a_429_tells_which_window_and_for_how_long():
    burst = error_of(GET, answer(429, {"detail": "slow"}, retry_after="7", **_rate(0, 10)))
    assert (burst.scope, burst.retry_after, burst.limit) == ("burst", 7.0, 20)
    day = error_of(GET, answer(429, {"detail": "slow"}, retry_after="7000", **_rate(5, 0)))
    assert (day.scope, day.retry_after, day.limit) == ("sustained", 7000.0, 5000)
    bare = error_of(GET, Response(429, {}, b""))
    assert (bare.scope, bare.retry_after, bare.limit) == ("burst", 60.0, None)
    only_day = {key: value for key, value in _rate(5, 3).items() if "sustained" in key}
    half = error_of(GET, answer(429, {}, **only_day))
    assert (half.scope, half.limit) == ("burst", None)


def _rate(burst, day):
    return {
        "x_ratelimit_burst_limit": "20",
        "x_ratelimit_burst_remaining": str(burst),
        "x_ratelimit_sustained_limit": "5000",
        "x_ratelimit_sustained_remaining": str(day),
    }


def test_a_redirect_that_is_not_followed_says_so():
    error = error_of(GET, Response(302, {"location": "https://evil.example/"}))
    assert type(error) is StatusError
    assert "redirects elsewhere" in str(error)
    assert "evil" not in str(error)
    login = Response(302, {"location": "https://evil.example/"}, b"<html>Sign in</html>")
    assert type(error_of(GET, login)) is InterceptedError


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.integers(300, 599), st.binary(max_size=50) | json_values.map(msgspec.json.encode))
def test_any_answer_becomes_an_error(status, body):
    error = error_of(GET, Response(status, JSON, body))
    assert isinstance(error, StatusError | RateLimitError | InterceptedError)
    assert str(error)


# -- Redirects ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("https://metron.cloud/api/issue/8/", "issue/8/"),
        ("/api/issue/8/", "issue/8/"),
        ("//metron.cloud/api/issue/8/", "issue/8/"),
        ("/api/issue/?page=2&name=", "issue/?page=2&name="),
        ("/api/issue/#there", "issue/"),
    ],
)
def test_redirects_on_the_same_root_are_followed(location, path):
    for status in (301, 302, 303, 307, 308):
        assert redirect_path(GET, Response(status, {"location": location}), ROOT) == path


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https://evil.example/api/issue/8/",
        "http://metron.cloud/api/issue/8/",
        "https://metron.cloud:8443/api/issue/8/",
        "https://metron.cloud.evil.example/api/issue/8/",
        "https://x@metron.cloud/api/issue/8/",
        "https://metron.cloud@evil.example/api/issue/8/",
        "//evil.example/api/issue/8/",
        "https:/api/issue/8/",
        "https:///api/issue/8/",
        "/accounts/login/",
        "/apiary/",
        "/api/../accounts/login/",
        "/api/issue/../../login/",
        "issue/8/",
        "?page=2",
        "https://[::1/api/",
        "javascript:alert(1)",
        "/api/issue/\xe9/",
        "/api/issue/ 8/",
        "/api/issue/?a=\x7f",
        "\\\\evil.example/api/",
    ],
)
def test_other_redirects_are_not(location):
    assert redirect_path(GET, Response(302, {"location": location}), ROOT) is None


def test_only_redirects_of_reads_are_followed():
    good = {"location": "/api/issue/8/"}
    assert redirect_path(POST, Response(302, good), ROOT) is None
    assert redirect_path(GET, Response(200, good), ROOT) is None
    assert redirect_path(GET, Response(304, good), ROOT) is None
    assert redirect_path(GET, Response(302, {}), ROOT) is None


@given(st.text(max_size=40).map("/api/".__add__) | st.text(max_size=40))
def test_no_location_leads_away_or_breaks_anything(location):
    onward = redirect_path(GET, Response(302, {"location": location}), ROOT)
    if onward is not None:
        assert onward.isascii()
        assert onward.isprintable()
        assert " " not in onward
