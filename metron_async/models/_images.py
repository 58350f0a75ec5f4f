"""What an image must be to be sent: known by its bytes, named, and not too big.

Reading it is the engine's part; here is only what can be told from its bytes. The server refuses
files without a suffix that it knows, so a name always gets one.
"""

import os
from pathlib import PurePath, PureWindowsPath

import msgspec

from metron_async.errors import UsageError
from metron_async.models.writable import Upload

__all__ = ["MAX_BODY", "ImagePart", "image_part", "image_type"]

#: Bytes that the proxy lets through in one request, fields and image together: 20 MB.
MAX_BODY = 20 * 1024 * 1024

_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/avif": ".avif",
}
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


class ImagePart(msgspec.Struct, frozen=True):
    """An image that is ready to be sent.

    Attributes:
        name: File name, with a suffix and without folders.
        content_type: MIME type.
        content: The bytes.
    """

    name: str
    content_type: str
    content: bytes


def image_type(content: bytes) -> str | None:
    """Tell the MIME type of an image from its first bytes.

    Args:
        content: The bytes; the first 12 are enough.

    Returns:
        The type, or ``None`` if it is no image that is known here.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return next((kind for start, kind in _BEGINNINGS if content.startswith(start)), None)


def image_part(upload: Upload, content: bytes) -> ImagePart:
    """Decide under which name and type an image is sent.

    Args:
        upload: What the caller gave: a path or a file, and perhaps a name and a type.
        content: Its bytes, which were read already.

    Returns:
        The image with its name and type.

    Raises:
        UsageError: It is empty, larger than 20 MB, of no known type, or its name cannot be sent.
    """
    if not content:
        message = "image: it is empty"
        raise UsageError(message)
    if len(content) > MAX_BODY:
        message = f"image: at most {MAX_BODY} bytes (20 MB) are let through, got {len(content)}"
        raise UsageError(message)
    kind = upload.content_type or image_type(content)
    if kind is None or not kind.startswith("image/") or not kind.isprintable():
        message = "image: not a known kind of image; say what it is with Upload(content_type=...)"
        raise UsageError(message)
    return ImagePart(_name(upload, _SUFFIXES.get(kind, "")), kind, content)


def _name(upload: Upload, suffix: str) -> str:
    given = upload.name
    if given is None and isinstance(upload.content, str | os.PathLike):
        given = os.fspath(upload.content)
    # Folders are nobody's business, whichever slash they are told with.
    name = PureWindowsPath(given or "image").name
    if not name.isprintable() or '"' in name or not name:
        message = f"image: {name!r} cannot be sent as a file name; give another with Upload(name=)"
        raise UsageError(message)
    return name if PurePath(name).suffix else name + suffix
