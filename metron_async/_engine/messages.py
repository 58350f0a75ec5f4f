"""The plain values that travel through the engine: requests, responses, options, answers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from metron_async.cache.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.models import ImagePart
    from metron_async.types import Origin

__all__ = ["Answer", "Body", "Multipart", "Request", "Response", "Stale"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """The encoded body of a write."""

    content: bytes
    content_type: str

    @property
    def size(self) -> int:
        """Bytes that are sent."""
        return len(self.content)


@dataclasses.dataclass(frozen=True, slots=True)
class Multipart:
    """The body of a write with an image; the transport encodes it.

    Attributes:
        fields: Names and texts, in order; a list repeats its name.
        image: What is sent as the part ``image``, read already.
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
        params: Query parameters, already encoded as text.
        resource: First part of the path; writes drop cached entries by it.
        kind: What the cache may do with the answer.
        object_id: Id of the object, for a detail.
        conditional: Whether the server honours ``If-Modified-Since`` here.
        may_404: Whether a 404 is a plain answer; such calls are paced by the ban guard.
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


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """What one attempt brought back.

    Attributes:
        status: HTTP status.
        headers: Header values by name in lower case.
        body: The body, decompressed.
        damage: Why the body cannot be read, or ``None``. The headers count all the same.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    damage: str | None = None


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """A decoded value and where it came from.

    Attributes:
        value: The value.
        origin: Where it came from, to be told to the caller.
        as_of: Wall-clock seconds for which it speaks: never later than the server's view.
    """

    value: T
    origin: Origin
    as_of: float


@dataclasses.dataclass(frozen=True, slots=True)
class Stale:
    """Answers that a write has made stale; ``None`` means any.

    Attributes:
        resource: First part of their path.
        kind: What sort of answer.
        object_id: Which object's.
    """

    resource: str
    kind: Kind
    object_id: int | None = None

    def covers(self, request: Request) -> bool:
        """Tell whether *request* asks for one of them."""
        return (
            request.resource == self.resource
            and request.kind is self.kind
            and self.object_id in (None, request.object_id)
        )
