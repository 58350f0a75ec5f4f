import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cache_hardship import NOW, entry_of

from metron_async.cache import Kind, account_name, make_key, normalise_origin
from metron_async.cache.entry import Entry, Selector, checksum
from metron_async.cache.keys import canonical_text

BASE = {"account": "a", "origin": "https://metron.cloud", "path": "/api/issue/", "language": "en"}


def key(**parts):
    parts = BASE | parts
    return make_key(**parts | {"query": tuple(parts.get("query", ()))})


@pytest.mark.parametrize(
    "other",
    [
        {"account": "b"},
        {"origin": "https://metron.test"},
        {"origin": "http://metron.cloud"},
        {"origin": "https://metron.cloud:8443"},
        {"path": "/api/issue"},
        {"path": "/api/issue/1/"},
        {"language": "de"},
        {"query": [("a", "1")]},
        {"path": "/api/issue%2F"},
    ],
)
def test_what_may_change_the_answer_changes_the_key(other):
    assert key(**other) != key()


@pytest.mark.parametrize(
    "other",
    [
        {"origin": "HTTPS://Metron.Cloud:443/api/"},
        {"origin": "https://user:word@metron.cloud"},
        {"path": "/api/iss%75e/"},
        {"language": " EN "},
        {"query": []},
        {"path": "/api/issue/?"},
    ],
)
def test_spelling_does_not(other):
    assert key(**other) == key()


def test_order_does_not_count_but_repeats_do():
    one = [("b", "2"), ("a", "1"), ("a", "0")]
    assert key(query=one) == key(query=sorted(one))
    assert key(query=[("a", "1"), ("a", "1")]) != key(query=[("a", "1")])


def test_origins_are_spelt_one_way():
    assert normalise_origin("http://[::1]:8000/x?y") == "http://[::1]:8000"
    assert normalise_origin("http://LocalHost:80") == "http://localhost"
    assert normalise_origin("gopher://h:70") == "gopher://h:70"
    assert normalise_origin("") == "://"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
pairs = st.lists(st.tuples(texts.filter(bool), texts), max_size=4)


@given(pairs, st.randoms())
def test_a_query_in_the_path_is_the_same_as_one_beside_it(query, chance):
    shuffled = list(query)
    chance.shuffle(shuffled)
    assert key(path="/api/issue/?" + urlencode(shuffled)) == key(query=query)


requests = st.fixed_dictionaries(
    {
        "account": texts,
        "path": st.lists(texts, max_size=3).map(lambda s: "/" + "/".join(quote(x, "") for x in s)),
        "query": pairs,
        "language": st.sampled_from(["en", "de"]),
        "origin": st.sampled_from(["https://a", "https://b"]),
    }
)


@given(requests, requests)
def test_different_requests_have_different_texts(one, other):
    same = one | {"query": sorted(one["query"])} == other | {"query": sorted(other["query"])}
    assert (canonical_text(**one) == canonical_text(**other)) == same
    assert (key(**one) == key(**other)) == same


@given(st.binary(max_size=12))
def test_undecodable_bytes_are_told_apart(data):
    text = canonical_text(**(BASE | {"path": "/" + quote(data, safe="")}), query=[])
    segment = json.loads(text)[2][1]
    assert segment.encode("utf-8", "surrogateescape") == data


def test_an_account_is_named_by_a_keyed_hash():
    name = account_name(b"s" * 32, "token-1")
    assert name != account_name(b"t" * 32, "token-1") != account_name(b"t" * 32, "token-2")
    assert len(name) == 32
    assert "token" not in name
    assert name not in key(account=name)


def test_the_checksum_covers_everything_that_stays():
    fields = {
        "key": "k", "account": "a", "resource": "r", "status": 200, "body": b"b", "stored_at": 1.0,
        "checked_at": 1.0, "object_id": 1, "last_modified": "l", "sent_at": 1.0, "modified": "m",
        "x_cache": "x", "date": "d", "version": "v",
    }  # fmt: skip
    digest = checksum(Entry(**fields, kind=Kind.LIST))
    assert digest != checksum(Entry(**fields, kind=Kind.DETAIL))
    for name, value in fields.items():
        changed = Entry(**(fields | {name: value * 2}), kind=Kind.LIST)
        assert (checksum(changed) == digest) == (name == "checked_at")


def test_selectors_name_what_they_say():
    entry = entry_of(5)
    for fields in (
        {},
        {"resource": "issue"},
        {"object_id": 5},
        {"kinds": frozenset([Kind.DETAIL])},
    ):
        assert Selector(account="a", **fields).matches(entry)
        assert not Selector(account="b", **fields).matches(entry)
    for fields in ({"resource": "arc"}, {"object_id": 6}, {"kinds": frozenset([Kind.LIST])}):
        assert not Selector(account="a", **fields).matches(entry)
    everything = Selector(account="a")
    assert everything.drops(entry, NOW)
    assert not everything.drops(entry, NOW - 1)  # asked for after the write
    assert not everything.drops(entry, NOW + 4000)  # a clock that was wrong does not block
    assert entry_of(5, sent_at=None).asked_at == NOW
