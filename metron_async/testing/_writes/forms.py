"""Bodies of writes: JSON, a form, or a multipart form with files."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import msgspec

from metron_async.testing._server import messages as m
from metron_async.testing._server.extras import missing
from metron_async.testing._writes.fields import MISSING, InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["JSON_AND_FORMS", "ONLY_FORMS", "Input", "Upload", "as_input", "read_one", "read_rows"]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
ONLY_FORMS = (MULTIPART, FORM)
JSON_AND_FORMS = ("application/json", FORM, MULTIPART)

_MOST_TEXT = 2_621_440
"""Bytes of text that the server reads: 2.5 MiB."""

_MOST_FIELDS = 1000
_INDEXED = re.compile(r"\[([0-9]+)\](.*)")


@dataclasses.dataclass(slots=True)
class Upload:
    """A file of a multipart form."""

    filename: str
    content: bytes


@dataclasses.dataclass(slots=True)
class Input:
    """The fields of a write.

    Attributes:
        form: Whether they came in a form. Then values are text, and a list is a repeated key.
        values: Values by name; in a form, a list for each name.
    """

    form: bool
    values: dict[str, Any]

    def get(self, name: str) -> Any:
        """Return the value of a field that holds one, or ``MISSING``."""
        if not self.form:
            return self.values.get(name, MISSING)
        found: list[Any] = self.values.get(name, [])
        return found[-1] if found else MISSING

    def get_list(self, name: str) -> Any:
        """Return the value of a field that holds a list, or ``MISSING``."""
        return self.values.get(name, MISSING)


def read_one(request: m.Request, accepted: Iterable[str]) -> Input:
    """Return the fields of *request*, whose body must not be an array.

    Args:
        request: The request.
        accepted: Media types that the endpoint takes.

    Raises:
        HttpError: 415 for another media type, 400 for a body that is malformed or too large.
    """
    try:
        return as_input(_read(request, accepted))
    except InvalidError as error:
        raise m.invalid({"non_field_errors": error.messages}) from None


def read_rows(request: m.Request, accepted: Iterable[str]) -> list[object]:
    """Return the rows of *request*, each for ``as_input``.

    A form writes an array as ``[0]issue=1&[0]creator=2``.

    Args:
        request: The request.
        accepted: Media types that the endpoint takes.

    Raises:
        HttpError: The errors of ``read_one``, or a 400 for anything but an array.
    """
    sent = _read(request, accepted)
    if isinstance(sent, Input) and sent.form:
        rows: dict[int, dict[str, Any]] = {}
        for name, value in sent.values.items():
            found = _INDEXED.fullmatch(name)
            if found is not None:
                rows.setdefault(int(found[1]), {})[found[2]] = value
        return [Input(form=True, values=rows[position]) for position in sorted(rows)]
    if isinstance(sent, list):
        return cast("list[object]", sent)
    shown = "dict" if isinstance(sent, Input) else type(sent).__name__
    message = f'Expected a list of items but got type "{shown}".'
    raise m.invalid({"non_field_errors": [message]})


def as_input(sent: object) -> Input:
    """Return the fields of one object.

    Raises:
        InvalidError: It is not an object.
    """
    if isinstance(sent, Input):
        return sent
    if isinstance(sent, dict):
        return Input(form=False, values=cast("dict[str, Any]", sent))
    message = f"Invalid data. Expected a dictionary, but got {type(sent).__name__}."
    raise InvalidError(message)


def _read(request: m.Request, accepted: Iterable[str]) -> object:
    """Return a form as ``Input``, and JSON as it was decoded."""
    if not request.body:
        return Input(form=False, values={})
    sent = request.headers.get("content-type", "")
    kind = sent.partition(";")[0].strip().lower()
    if kind not in accepted:
        raise m.error(415, f'Unsupported media type "{sent}" in request.')
    if kind == MULTIPART:
        return _form(_parts(sent, request.body))
    _require_size(len(request.body), 0)
    if kind == FORM:
        text = request.body.decode(errors="replace")
        return _form(list[tuple[str, Any]](parse_qsl(text, keep_blank_values=True)))
    try:
        return msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise m.error(400, f"JSON parse error - {error}") from None


def _require_size(text: int, fields: int) -> None:
    """Refuse more bytes of text, or more fields, than the framework reads."""
    if text > _MOST_TEXT or fields > _MOST_FIELDS:
        raise m.HttpError(m.html(400, "Bad Request (400)"))


def _form(pairs: Sequence[tuple[str, Any]]) -> Input:
    text = sum(len(value.encode()) for _, value in pairs if isinstance(value, str))
    _require_size(text, len(pairs))
    values: dict[str, Any] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Input(form=True, values=values)


def _parts(content_type: str, body: bytes) -> list[tuple[str, Any]]:
    try:
        import python_multipart  # noqa: PLC0415 - an extra, and only writes need it
        from python_multipart.exceptions import FormParserError  # noqa: PLC0415
    except ImportError as error:  # pragma: no cover - depends on what is installed
        raise missing(error) from None
    found: list[tuple[str, Any]] = []

    def on_field(field: Any) -> None:
        found.append((field.field_name.decode(), (field.value or b"").decode(errors="replace")))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        if file.file_name:  # The server ignores a file without a name.
            upload = Upload(file.file_name.decode(errors="replace"), file.file_object.read())
            found.append((file.field_name.decode(), upload))
        files.callback(file.close)  # Not here: older parsers flush the file afterwards.

    headers: Any = {"Content-Type": content_type.encode(), "Content-Length": str(len(body))}
    try:
        with contextlib.ExitStack() as files:
            python_multipart.parse_form(headers, io.BytesIO(body), on_field, on_file)
    except FormParserError:
        raise m.error(400, "Multipart form parse error - Invalid boundary.") from None
    return found
