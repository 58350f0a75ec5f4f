"""Bodies of writes: encodes inputs, reads images, and checks sizes.

All of it happens before a slot of the quota is requested. An image is read completely, so that a
file that is missing or fails costs nothing and never leaves half a request at the server.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlencode

import anyio.to_thread
import msgspec

from metron_async._engine.messages import Body, Multipart
from metron_async.errors import UsageError
from metron_async.models import JsonFields, Upload
from metron_async.models._images import MAX_BODY, check_text, image_part

if TYPE_CHECKING:
    from metron_async.models import FormFields, Image
    from metron_async.models._images import ImagePart

__all__ = ["json_body", "prepare_body"]


async def prepare_body(encoded: JsonFields | FormFields) -> Body | Multipart:
    """Return the body for *encoded*; an image is read without blocking the event loop.

    Raises:
        UsageError: The image cannot be read or is not an image, or the body is over 20 MB.
    """
    if isinstance(encoded, JsonFields):
        return json_body(encoded.fields)
    if encoded.image is None:
        content = urlencode(encoded.fields).encode("ascii")
        return Body(content, "application/x-www-form-urlencoded")
    return _checked(Multipart(encoded.fields, await _read(encoded.image)))


def json_body(value: object) -> Body:
    """Return *value* as a JSON body.

    Raises:
        UsageError: It is over 2.5 MB.
    """
    content = msgspec.json.encode(value)
    check_text(len(content))
    return Body(content, "application/json")


def _checked(body: Multipart) -> Multipart:
    if body.size > MAX_BODY:
        message = (
            f"The request would have up to {body.size:,} bytes; the server's proxy allows"
            f" {MAX_BODY:,} (20 MB), fields and image together. Make the image smaller"
        )
        raise UsageError(message)
    return body


async def _read(image: Image) -> ImagePart:
    """Read *image* in a thread, up to one byte more than may be sent."""
    upload = image if isinstance(image, Upload) else Upload(image)
    content = upload.content
    if not isinstance(content, bytes):
        content = await anyio.to_thread.run_sync(_read_all, content)
    return image_part(upload, content)


def _read_all(source: str | os.PathLike[str] | BinaryIO) -> bytes:
    try:
        if isinstance(source, str | os.PathLike):
            with open(source, "rb") as file:  # noqa: PTH123 - any kind of path is allowed
                return _read_file(file)
        return _read_file(source)
    except UsageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a closed file, or a path with a NUL
        message = f"image cannot be read: {error}"
        raise UsageError(message) from error


def _read_file(file: BinaryIO) -> bytes:
    """Read the rest of *file*, and seek back, so that the same input can be sent again.

    Raises:
        UsageError: It does not return bytes, or is at its end.
    """
    seekable = getattr(file, "seekable", bool)() is True
    start = file.tell() if seekable else 0
    content = _rest_of(file)
    if seekable:
        file.seek(start)
    if not content and (start or not seekable):
        message = "Invalid image: the file was already read to its end. Open it again"
        raise UsageError(message)
    return content


def _rest_of(file: BinaryIO) -> bytes:
    """Return the rest of *file*; one that is not buffered returns it in pieces."""
    content = bytearray()
    while len(content) <= MAX_BODY:
        piece = cast("object", file.read(MAX_BODY + 1 - len(content)))
        if not isinstance(piece, bytes):
            message = "image must be a blocking file that is opened in binary mode"
            raise UsageError(message)
        if not piece:
            break
        content += piece
    return bytes(content)
