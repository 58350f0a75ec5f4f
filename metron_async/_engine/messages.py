"""Plain values of the engine: requests, their bodies, and responses, raw and decoded."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import urlencode

import msgspec

from metron_async.cache.entry import Kind
from metron_async.errors import DecodeError, UsageError
from metron_async.models._instants import in_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metron_async.models._images import ImagePart
    from metron_async.types import Origin

__all__ = [
    "Answer",
    "Body",
    "Multipart",
    "Request",
    "Response",
    "Stale",
    "checked_target",
    "decode",
    "decoder_for",
]

T = TypeVar("T")

_LONGEST_TARGET = 60_000  # characters; httpx refuses URLs from 65,536
_SHOWN = 200  # characters of a decoder's message that an error repeats


class Body(msgspec.Struct, frozen=True):
    """The encoded body of a write."""

    content: bytes
    content_type: str

    @property
    def size(self) -> int:
        """Bytes that are sent."""
        return len(self.content)


class Multipart(msgspec.Struct, frozen=True):
    """The body of a write with an image; the transport encodes it.

    Attributes:
        fields: Names and strings, in order; a list repeats its name.
        image: The part ``image``, with its content.
    """

    fields: tuple[tuple[str, str], ...]
    image: ImagePart

    @property
    def size(self) -> int:
        """Bytes that are sent at most: boundaries and headers of the parts are rounded up."""
        around = 400 + 4 * len(self.image.name)
        texts = sum(200 + len(name) + len(text.encode()) for name, text in self.fields)
        return len(self.image.content) + around + texts


class Request(msgspec.Struct, frozen=True):
    """One operation of the API, before it is sent.

    Attributes:
        path: Below the API's root, with its trailing slash: ``"issue/31660/"``. (Without the
            slash the server answers 301, which would cost a second slot.)
        params: Query parameters, already encoded as strings.
        resource: First part of the path; writes drop cached entries by it.
        kind: What the cache may do with the response.
        object_id: Id of the object, for a detail.
        conditional: Whether the server honors ``If-Modified-Since`` here.
        may_404: Whether the response can be a 404; such calls are spaced after many 404s.
        since: HTTP date of an explicit ``If-Modified-Since``.
        body: Body of a write.
    """

    path: str
    method: str = "GET"
    params: tuple[tuple[str, str], ...] = ()
    resource: str = ""
    kind: Kind = Kind.LIST
    object_id: int | None = None
    conditional: bool = False
    may_404: bool = False
    since: str | None = None
    body: Body | Multipart | None = None

    @property
    def target(self) -> str:
        """Path and query below the API's root, as shown in errors."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    def conditional_on(self, since: str) -> Request:
        """Return the same request with the HTTP date *since* as ``If-Modified-Since``."""
        return msgspec.structs.replace(self, since=since)

    @property
    def is_read(self) -> bool:
        """Whether the request changes nothing, and may be sent again."""
        return self.method == "GET"


class Response(msgspec.Struct, frozen=True):
    """The response to one attempt.

    Attributes:
        status: HTTP status.
        headers: Header values by name in lower case.
        body: The body, decompressed.
        damage: Why the body cannot be read, or ``None``. The headers count in any case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    damage: str | None = None


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """A decoded response and where it came from.

    Attributes:
        value: The value.
        origin: Where it came from.
        as_of: Wall-clock seconds at which it was current: never later than the server's view.
        dated: Whether *as_of* is by the server's clock, and not by that of this machine.
    """

    value: T
    origin: Origin
    as_of: float
    dated: bool = True


class Stale(msgspec.Struct, frozen=True):
    """Responses that a write has made stale; ``None`` means any.

    Attributes:
        resource: First part of their path.
        kind: Their kind.
        object_id: Id of their object.
    """

    resource: str
    kind: Kind
    object_id: int | None = None

    def covers(self, request: Request) -> bool:
        """Return whether the response to *request* is one of them."""
        return (
            request.resource == self.resource
            and request.kind is self.kind
            and self.object_id in (None, request.object_id)
        )


def checked_target(request: Request) -> str:
    """Return path and query of *request*, checked before it takes a slot.

    Raises:
        UsageError: If they cannot be sent.
    """
    try:
        target = request.target
    except UnicodeError:
        msg = "A filter holds a lone surrogate, which cannot be encoded. Remove it"
        raise UsageError(msg, path=request.path) from None
    if len(target) > _LONGEST_TARGET:
        msg = (
            f"The filters make a URL of {len(target):,} characters, and at most"
            f" {_LONGEST_TARGET:,} can be sent. Shorten them, or split the call"
        )
        raise UsageError(msg, path=request.path)
    return target


def decoder_for(kind: type[T]) -> Callable[[bytes], T]:
    """Return the function that decodes JSON into *kind*."""
    decoder: Callable[[bytes], T] = _decoder_for(cast("Any", kind))
    return decoder


@functools.cache
def _decoder_for(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


def decode(request: Request, decoder: Callable[[bytes], T], body: bytes) -> T:
    """Decode *body*, the response to *request*.

    Raises:
        DecodeError: If it is not JSON, does not match the model, or is another object than the
            one that was requested.
    """
    try:
        try:
            return _checked_id(request, decoder(body))
        except msgspec.ValidationError:
            return _checked_id(request, decoder(in_utc(body)))
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `")
        message = f"Unexpected response format: {text[:_SHOWN]}"
        where = place.rstrip("`") or "$"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message, where = f"The response is not valid JSON: {str(error)[:_SHOWN]}", None
    if where:
        message += f" at {where[:_SHOWN]}"
    raise DecodeError(message, path=request.target, status=200, where=where)


def _checked_id(request: Request, value: T) -> T:
    """Return *value*, unless a read of one object brought another one."""
    got = getattr(value, "id", None)
    if request.is_read and None not in (request.object_id, got) and got != request.object_id:
        message = f"Unexpected response: requested id {request.object_id}, got id {got} at $.id"
        raise DecodeError(message, path=request.target, status=200, where="$.id")
    return value
