"""From bytes to Structs: every failure names its place and its path, and stays short."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async import DecodeError, UsageError
from metron_async._engine.messages import (
    Body,
    Request,
    checked_target,
    decode,
    decoder_for,
)
from metron_async.models import IssueSummary, PageBody, Publisher
from metron_async.types import NOT_MODIFIED, CallOptions

REQUEST = Request("issue/", params=(("page", "2"),))
PAGES = decoder_for(PageBody[IssueSummary])


def test_decoders_are_made_once():
    assert decoder_for(PageBody[IssueSummary]) == decoder_for(PageBody[IssueSummary])
    assert decoder_for(Publisher).__self__ is decoder_for(Publisher).__self__


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        (b"", None, "not valid JSON"),
        (b"{", None, "not valid JSON"),
        (b"nonsense", None, "not valid JSON"),
        (b'{"count": 1, "results": [{"id": 1', None, "not valid JSON"),
        (b"[" * 100_000, None, None),
        (b'{"count": ' + b"[" * 100_000, None, None),
        (b'{"a":' * 100_000, None, None),
        (b"[]", "$", "Expected `object`, got `array`"),
        (b"{}", "$", "missing required field"),
        (b'{"count":"x","next":null,"previous":null,"results":[]}', "$.count", "Expected `int`"),
        (
            b'{"count":1,"next":null,"previous":null,"results":[{"id":"\xc3\xa9"}]}',
            "$.results[0].id",
            "Expected `int`",
        ),
        (b'{"count":1,"next":null,"previous":null,"results":[{"id":"\xff"}]}', None, None),
    ],
)
def test_failures_are_told(body, where, message):
    with pytest.raises(DecodeError) as caught:
        decode(REQUEST, PAGES, body)
    error = caught.value
    assert (error.path, error.status) == ("issue/?page=2", 200)
    assert len(str(error)) < 600
    if message is not None:
        assert error.where == where
        assert message in str(error)
        assert where is None or where in str(error)


@given(st.binary(max_size=100) | st.text(max_size=60).map(msgspec.json.encode))
def test_no_body_gets_through_that_is_none(body):
    with pytest.raises(DecodeError):
        decode(REQUEST, PAGES, body)


def test_messages_of_decoders_are_cut():
    def decoder(_):
        raise msgspec.ValidationError("x" * 5000 + " - at `" + "$.a" * 1000 + "`")

    with pytest.raises(DecodeError) as caught:
        decode(REQUEST, decoder, b"")
    assert len(str(caught.value)) < 600


# -- The values that travel ---------------------------------------------------------------------


def test_a_request_shows_its_path_and_query_and_no_more():
    assert Request("issue/7/").target == "issue/7/"
    encoded = Request("issue/", params=(("name", "a b&c=é"), ("name", "x")))
    assert encoded.target == "issue/?name=a+b%26c%3D%C3%A9&name=x"
    assert Request("issue/").is_read
    assert not Request("issue/", method="POST", body=Body(b"{}", "application/json")).is_read
    assert Request("a/").conditional_on("then") == Request("a/", since="then")


def test_bodies_know_how_much_they_send():
    assert Body(b"12345", "application/json").size == 5


def test_not_modified_is_false_and_one_of_a_kind():
    assert not NOT_MODIFIED
    assert NOT_MODIFIED is not None
    assert repr(NOT_MODIFIED) == "NOT_MODIFIED"
    assert CallOptions() == CallOptions()


def test_a_target_that_cannot_be_sent_is_refused_without_being_quoted():
    assert checked_target(REQUEST) == "issue/?page=2"
    for value, message in (("x" * 60_000, "60,012"), ("\ud800", "lone surrogate")):
        with pytest.raises(UsageError, match=message) as caught:
            checked_target(Request("issue/", params=(("name", value),)))
        assert caught.value.path == "issue/"
        assert value not in str(caught.value)


class Thing(msgspec.Struct):
    id: int | None = None


@pytest.mark.parametrize("number", [6, -5, 0])
def test_another_object_than_the_requested_one_is_refused(number):
    body = b'{"id":%d}' % number
    with pytest.raises(DecodeError, match=f"requested id 5, got id {number}") as caught:
        decode(Request("arc/5/", object_id=5), decoder_for(Thing), body)
    assert (caught.value.where, caught.value.path) == ("$.id", "arc/5/")
    for request in (Request("arc/5/"), Request("arc/5/", method="PATCH", object_id=5)):
        assert decode(request, decoder_for(Thing), body).id == number


def test_an_object_without_an_id_cannot_be_compared():
    request = Request("arc/5/", object_id=5)
    assert decode(request, decoder_for(Thing), b"{}").id is None
    assert bytes(decode(request, decoder_for(msgspec.Raw), b'{"id":6}')) == b'{"id":6}'
    assert decode(request, decoder_for(Thing), b'{"id":5}').id == 5
