"""Perceptual hashes of covers, equal to the server's; needs the extra ``covers``."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

from metron_async.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    import os
    from typing import IO

    from PIL.Image import Image

__all__ = ["cover_hash"]

_BROKEN = (EOFError, IndexError, OSError, SyntaxError, ValueError, struct.error)
"""What Pillow raises for damaged files, by their format."""


def cover_hash(image: Image | bytes | str | os.PathLike[str] | IO[bytes]) -> str:
    """Return the perceptual hash of a cover: 64 bits as 16 hexadecimal digits.

    It is the hash by which Metron knows covers, ``phash`` of ImageHash. It takes time for
    computing: in a program with an event loop, call it in a thread.

    Args:
        image: The image of a front cover: a Pillow image, the bytes of a file, a path, or a file.

    Raises:
        ConfigurationError: If Pillow or ImageHash is not installed.
        UsageError: If it is not an image.

    Example:
        >>> query = IssueQuery(cover_hash=cover_hash("cover.jpg"))  # doctest: +SKIP
    """
    try:
        import imagehash  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415
    except ImportError as error:
        msg = "Cover hashes need Pillow and ImageHash: pip install 'metron-async[covers]'"
        raise ConfigurationError(msg) from error
    if isinstance(image, Image.Image):
        return _hash(imagehash, image)
    try:
        with Image.open(_source(image)) as opened:
            return _hash(imagehash, opened)
    except (*_BROKEN, UnidentifiedImageError, Image.DecompressionBombError) as error:
        msg = f"Invalid cover: expected an image, and reading it failed: {error}"
        raise UsageError(msg) from error


def _source(image: bytes | str | os.PathLike[str] | IO[bytes]) -> Any:
    """Return what Pillow opens."""
    return io.BytesIO(image) if isinstance(image, bytes) else image


def _hash(imagehash: Any, image: Image) -> str:
    return str(imagehash.phash(image))
