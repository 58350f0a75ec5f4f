"""Base classes of the models.

Models are frozen :class:`msgspec.Struct` classes. Unknown fields of a response are ignored, because
newer servers add fields. A field that the schema requires fails to decode when it is missing or of
another type. A field that may be missing has a default.

``frozen`` and ``kw_only`` are repeated on every class because type checkers, and for ``kw_only``
msgspec itself, do not inherit them. Fields are encoded in the order of the server's schema. A
subclass that narrows the type of a field keeps the field's place.
"""

import reprlib
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, cast

import msgspec

__all__ = ["Model", "Record", "Row", "to_plain"]


class _Aware:
    """Constraint of pydantic that equals ``msgspec.Meta(tz=True)``."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from metron_async.models._pydantic import aware_datetime  # noqa: PLC0415 - see Record

        return aware_datetime()


# Comparing a naive datetime with an aware one raises an error, so naive ones are refused.
Instant = Annotated[datetime, msgspec.Meta(tz=True), _Aware()]

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxtuple = 2


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all objects that the API returns."""

    def to_dict(self) -> dict[str, Any]:
        """Return the object as a dictionary that JSON can hold.

        Keys are the attribute names, also inside nested objects. Tuples become lists. Dates and
        datetimes become ISO 8601 strings, and amounts of money decimal strings.

        Returns:
            A new dictionary, which the caller may change.

        Example:
            >>> from metron_async.models import BasicRef
            >>> BasicRef(id=1, name="Marvel").to_dict()
            {'id': 1, 'name': 'Marvel'}
        """
        return {name: to_plain(getattr(self, name)) for name in self.__struct_fields__}

    # pydantic is not a dependency: only its own calls load what needs it.

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from metron_async.models._pydantic import core_schema_of  # noqa: PLC0415

        return core_schema_of(cls, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        from metron_async.models._pydantic import json_schema_of  # noqa: PLC0415

        return json_schema_of(cls, schema, handler)

    def _repr_html_(self) -> str:
        from metron_async._html import record_html  # noqa: PLC0415 - for notebooks only

        return record_html(self)

    def __repr__(self) -> str:
        # A complete issue would be several kilobytes: empty fields are left out, long ones cut.
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = [f"{n}={_short.repr(v)}" for n, v in values if v not in (None, "", ())]
        return f"{type(self).__name__}({', '.join(shown)})"


class Model(Record, frozen=True, kw_only=True, weakref=True):
    """Base of the objects that detail endpoints return.

    They can be weakly referenced, so that the client can keep an object's origin beside it.
    """


class Row(Record, frozen=True, kw_only=True, gc=False):
    """Base of rows of lists, and of nested objects.

    The garbage collector does not track them. Frozen objects made of numbers, strings, dates,
    tuples and other rows cannot form a cycle, and every full collection would otherwise visit
    all rows of a long list.
    """


def to_plain(value: object) -> Any:
    """Return a field's value as plain values that JSON can hold; see :meth:`Record.to_dict`."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, tuple):
        return [to_plain(item) for item in cast("tuple[object, ...]", value)]
    return msgspec.to_builtins(value)


def check_amount(amount: Decimal | None) -> None:
    """Refuse an infinite or undefined amount: ``"NaN"`` and ``"Infinity"`` decode as decimals.

    Raises:
        ValueError: If it is not finite; msgspec reports it together with the place.
    """
    if amount is not None and not amount.is_finite():
        msg = "Expected a finite `decimal`"
        raise ValueError(msg)
