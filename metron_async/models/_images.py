"""Checks of what is sent: the size of bodies, and the name and type of images.

Reading an image is the engine's task; this module decides from its bytes. The server refuses files
without a known suffix, so every name gets one.
"""

import os
from pathlib import PurePath, PureWindowsPath
from typing import NoReturn

import msgspec

from metron_async.errors import UsageError
from metron_async.models._rules import Upload

__all__ = ["MAX_BODY", "MAX_TEXT", "ImagePart", "check_text", "image_part", "image_type"]

MAX_BODY = 20 * 1024 * 1024
"""Bytes that the server's proxy accepts in one request, fields and image together: 20 MB."""

MAX_TEXT = 2_621_440
"""Bytes that the server accepts in one request, not counting the image: 2.5 MB."""

_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/avif": ".avif",
}
_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


class ImagePart(msgspec.Struct, frozen=True):
    """Image that is ready to be sent."""

    name: str
    """File name, with a suffix and without folders."""
    content_type: str
    """MIME type."""
    content: bytes
    """The bytes."""


def check_text(size: int) -> None:
    """Check the size of the text of a request.

    Args:
        size: Bytes of the body, without an image.

    Raises:
        UsageError: It is larger than 2.5 MB.
    """
    if size > MAX_TEXT:
        message = (
            f"The request would contain {size:,} bytes of text, but the server accepts at most"
            f" {MAX_TEXT:,} (2.5 MB). Shorten the text, or split the request"
        )
        raise UsageError(message)


def image_type(content: bytes) -> str | None:
    """Return the MIME type of an image, detected from its first bytes.

    Args:
        content: The bytes; the first 12 are enough.

    Returns:
        The type, or ``None`` if it is unknown.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return next((kind for start, kind in _PREFIXES if content.startswith(start)), None)


def image_part(upload: Upload, content: bytes) -> ImagePart:
    """Return the image with the name and type to send.

    Args:
        upload: The caller's path or file, perhaps with a name and a type.
        content: Its bytes.

    Returns:
        The image with its name and type.

    Raises:
        UsageError: It is empty, larger than 20 MB, of an unknown type, or its name cannot be sent.
    """
    if not content:
        _refuse("it is empty")
    if len(content) > MAX_BODY:
        _refuse(f"expected at most {MAX_BODY:,} bytes (20 MB), got {len(content):,}")
    kind = upload.content_type or image_type(content)
    if kind is None or not kind.startswith("image/") or not kind.isprintable():
        _refuse("unknown type; pass the MIME type as Upload(content_type=...)")
    return ImagePart(_name(upload, _SUFFIXES.get(kind, "")), kind, content)


def _name(upload: Upload, suffix: str) -> str:
    given = upload.name
    if given is None and isinstance(upload.content, str | os.PathLike):
        given = os.fspath(upload.content)
    # Folders are private. Windows paths know both kinds of slashes.
    name = PureWindowsPath(given or "image").name
    if not name.isprintable() or '"' in name or not name:
        _refuse(f"{name!r} cannot be sent as a file name; pass another as Upload(name=...)")
    return name if PurePath(name).suffix else name + suffix


def _refuse(problem: str) -> NoReturn:
    message = f"Invalid image: {problem}"
    raise UsageError(message)
