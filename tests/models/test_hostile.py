"""No value, however odd, makes anything but a UsageError, and none makes that long."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import msgspec
import pytest

import metron_async.models as m
from metron_async import filters
from metron_async.enums import Grade
from metron_async.errors import UsageError
from metron_async.resources.base import checked_id


class Broken(list[int]):
    """A list, an integer and more, whose own code fails."""

    def __index__(self) -> int:
        raise OverflowError

    def __repr__(self) -> str:
        raise RuntimeError


class BrokenText(str):
    __slots__ = ()

    def strip(self, *_: Any) -> str:
        raise ValueError

    def encode(self, *_: Any, **__: Any) -> bytes:
        raise ValueError


class BrokenZone(tzinfo):
    def utcoffset(self, dt: datetime | None) -> timedelta:
        raise KeyError(dt)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
ODD: list[Any] = [
    *(None, True, object(), type, ..., 1j, b"\0", bytearray(b"x")),
    *(10**400, -(10**400), float("inf"), float("nan"), 5e-324),
    *(Decimal(text) for text in ("1e999999", "-1e-999999", "1e-999999", "sNaN", "-Infinity")),
    *("\ud800", "x" * 70_000, "\0", BrokenText("x")),
    *(Broken([1]), Broken(), nested(100_000), [10**400], ["\ud800"], {1, "a"}, {"a": 1}),
    *(range(10_000), iter([1]), date.min, date.max, NAIVE),
    *(NAIVE.replace(tzinfo=BrokenZone()), datetime.min.replace(tzinfo=UTC)),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-23))),
    *(m.Price(Decimal(1), 10**400), m.Price("x"), m.Price(None, None)),  # type: ignore[arg-type]
    *(m.Upload(None), Grade.NM),  # type: ignore[arg-type]
]


def refused(call: Callable[..., object], *args: Any) -> int:
    try:
        call(*args)
    except UsageError as error:
        assert len(str(error)) < 1_000  # noqa: PT017 - some values are valid for some fields
        return 1
    return 0


@pytest.mark.parametrize("name", [name for name in filters.__all__ if name.endswith("Filters")])
def test_filters(name: str) -> None:
    schema = getattr(filters, name)
    for known in filters.filter_names(schema):
        count = sum(refused(filters.encode_filters, schema, {known: value}) for value in ODD)
        assert count > len(ODD) - 8, known


def encoded(kind: type[m.Input], fields: dict[str, Any]) -> None:
    sent = m.encode_input(kind(**fields), "update")
    if isinstance(sent, m.JsonFields):
        msgspec.json.encode(sent.fields)


@pytest.mark.parametrize("name", [name for name in m.__all__ if name.endswith("Input")])
def test_inputs(name: str) -> None:
    kind = getattr(m, name)
    fields = msgspec.structs.fields(kind)
    needed = {field.name: [1] if field.name == "role" else 1 for field in fields if field.required}
    for field in fields:
        count = sum(refused(encoded, kind, {**needed, field.name: value}) for value in ODD)
        assert count > len(ODD) - 14, field.name


def test_ids() -> None:
    assert sum(refused(checked_id, value) for value in ODD) == len(ODD)
