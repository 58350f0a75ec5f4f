"""Bodies that were recorded, and then damaged: they give a right object, or a DecodeError.

A right object is one that fits its type: written out, it reads in again as the same. (Whether a
changed letter in a title is right nobody can tell.)
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random

import msgspec
import pytest
from support.scale import scaled
from support.virtual import virtual

import metron_async.models as m
from metron_async import AsyncMetron
from metron_async._engine.messages import Request, decode, decoder_for
from metron_async.errors import DecodeError, MetronError, MetronWarning
from metron_async.models import PageBody
from metron_async.testing import FakeMetron, Fault

EXCHANGES = json.loads((Path(__file__).parents[1] / "data" / "exchanges.json").read_bytes())
NAMESPACES = (
    *("arcs", "characters", "collection", "creators", "imprints", "issues", "publishers"),
    *("reading_lists", "roles", "series", "series_types", "teams", "universes", "wish_list"),
)
ROUNDS = scaled(2_000, 100_000)
TOKENS = [
    b"null",
    b"true",
    b"-0",
    b"NaN",
    b"Infinity",
    b"1e999",
    b"-1e-999",
    b"9" * 400,
    b"1." + b"3" * 500,
    b"9223372036854775808",
    b'""',
    b'"\\ud800"',
    b'"\\u0000"',
    b'"0000-00-00"',
    b'"0001-01-01T00:00:00+14:00"',
    b'"9999-12-31T23:59:59.999999-14:00"',
    b'"2026-02-30T25:61:61Z"',
    b'"1e5"',
    b'"sNaN"',
    b'"Infinity"',
    b"[" * 2000,
    b'{"a":' * 2000,
    b"[]",
    b"{}",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\x00",
]


def _kind(path):
    """Return the type of what GET *path* answers with, or ``None`` where none is listed."""
    client = AsyncMetron("token", transport=FakeMetron(5).transport())
    first, *rest = path.removeprefix("https://metron.cloud").removeprefix("/api/").split("/")
    for name in NAMESPACES:
        namespace = getattr(client, name)
        if namespace._path != first:
            continue
        if rest == [""] and hasattr(namespace, "_row"):
            return PageBody[namespace._row]
        if len(rest) == 2 and rest[0].isdigit() and hasattr(namespace, "_model"):
            return namespace._model
    return None


def _corpus():
    found = {}
    for exchange in EXCHANGES:
        request, response = exchange["request"], exchange["response"]
        if request["method"] != "GET" or response["status"] != 200:
            continue
        kind = _kind(request["path"].partition("?")[0])
        body = response["body"]
        if kind is None or not isinstance(body, dict):
            continue
        body.pop("_truncated", None)
        found.setdefault(str(kind), (kind, json.dumps(body).encode()))
    return list(found.values())


def _places(tree, at=()):
    yield at
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _places(value, (*at, name))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _places(value, (*at, number))


def _regrown(random, body):
    """Replace, drop, or double a random part of the tree."""
    tree = json.loads(body)
    *way, last = random.choice([place for place in _places(tree) if place])
    node = tree
    for step in way:
        node = node[step]
    choice = random.randrange(4)
    if choice == 0:
        del node[last]
    elif choice == 1:
        node[last] = [node[last]]
    elif choice == 2:
        node[last] = random.choice(
            [None, True, -1, 2**70, 1.5, "", "x", "1", [], {}, "a" * 10_000, "2026-01-01", math.pi]
        )
    elif isinstance(node, dict):
        node[random.choice(list(node))] = node[last]
    return json.dumps(tree).encode()


def mutated(random, body):
    """Return *body* with one to four things wrong with it."""
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(body) + 1)
        choice = random.randrange(7)
        if choice == 0:
            body = body[:at]
        elif choice == 1:
            body = body[:at] + bytes([random.randrange(256)]) + body[at + 1 :]
        elif choice == 2:
            body = body[:at] + random.choice(TOKENS) + body[at:]
        elif choice == 3:
            body = body[:at] + body[random.randrange(len(body) + 1) :]
        elif choice == 4:
            end = body.find(b",", at)
            colon = body.rfind(b":", 0, at)
            if 0 < colon < end:
                body = body[: colon + 1] + random.choice(TOKENS) + body[end:]
        else:
            try:
                body = _regrown(random, body)
            except (ValueError, IndexError, RecursionError):
                body = body[:at] + body[at + 1 :]
        if not body:
            break
    return body


def check(kind, body):
    """Return whether *body* decoded; it does so into a right object or not at all."""
    try:
        value = decode(Request("somewhere/"), decoder_for(kind), body)
    except DecodeError as error:
        told = str(error)
    else:
        told = None
    if told is not None:
        assert len(told) < 1000, "an error that repeats the body"
        return False
    written = msgspec.json.encode(value)
    assert msgspec.json.decode(written, type=kind) == value
    assert repr(value)
    return True


def test_the_corpus_is_a_broad_one():
    corpus = _corpus()
    assert len(corpus) >= 20
    for kind, body in corpus:
        assert check(kind, body)


@pytest.mark.timeout(scaled(120, 1800))
def test_damaged_bodies():
    random, corpus = Random(7), _corpus()
    decoded = sum(check(kind, mutated(random, body)) for kind, body in _rounds(random, corpus))
    assert 0.02 * ROUNDS < decoded < 0.9 * ROUNDS


def _rounds(random, corpus):
    for _ in range(ROUNDS):
        yield random.choice(corpus)


@pytest.mark.parametrize("kind", ["issue", "publisher"])
def test_damaged_bodies_through_the_whole_client(kind):
    """What decodes is also kept, vouched for, paged and compared: nothing there may stumble."""
    random = Random(3)
    broken = Fault.body(lambda body: mutated(random, body) if body else body)

    async def main():
        fake = FakeMetron(60, throttle=False)
        async with AsyncMetron(fake.token, transport=fake.transport(), retries=0) as metron:
            namespace = metron.issues if kind == "issue" else metron.publishers
            fake.faults.add(broken, times=None, path=lambda _: random.random() < 0.5)
            for _ in range(scaled(60, 1000)):
                for call in (
                    lambda: namespace.get(3),
                    lambda: namespace.iter().collect(),
                    lambda: namespace.iter().details().collect(),
                ):
                    try:
                        await call()
                    except (MetronError, MetronWarning):
                        continue

    virtual(main())


EXTREMES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00Z")


@pytest.mark.parametrize("moment", EXTREMES)
def test_moments_at_the_end_of_time(moment):
    def all_at(tree):
        if isinstance(tree, list):
            return [all_at(value) for value in tree]
        if isinstance(tree, dict):
            return {k: moment if k == "modified" else all_at(v) for k, v in tree.items()}
        return tree

    async def main():
        fake = FakeMetron(60, throttle=False)
        fake.faults.add(Fault.json(all_at), times=None)
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            for _ in range(2):
                for call in (
                    lambda: metron.publishers.get(3),
                    lambda: metron.publishers.iter().details().collect(),
                    lambda: metron.issues.iter().collect(),
                ):
                    try:
                        await call()
                    except DecodeError:
                        continue

    virtual(main())


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-inf"])
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (m.CollectionItem, "purchase_price"),
        (m.CollectionStats, "total_value"),
        (m.Issue, "price"),
        (m.IssueWritten, "price"),
        (m.Variant, "price"),
        (m.VariantWritten, "price"),
        (m.WishListItem, "max_price"),
    ],
)
def test_an_amount_of_money_is_a_number(kind, field, amount):
    fields = msgspec.structs.fields(kind)
    body = {it.encode_name: _any(it.type) for it in fields if it.required}
    name = next(it.encode_name for it in fields if it.name == field)
    assert isinstance(msgspec.convert(body | {name: "3.99"}, kind), kind)
    with pytest.raises(DecodeError, match="finite"):
        decode(Request("x/"), decoder_for(kind), msgspec.json.encode(body | {name: amount}))


def _any(kind):
    """Return anything that fits the type *kind*."""
    for value in (None, 1, "x", "2026-01-01", "2026-01-01T00:00:00Z", [], True, "3.99"):
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            continue
        return value
    return {it.encode_name: _any(it.type) for it in msgspec.structs.fields(kind) if it.required}
