"""URLs of uploaded images."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metron_async.testing._server.endpoints import Call
    from metron_async.testing._writes.forms import Upload

__all__ = ["stored"]


def stored(call: Call, folder: str, upload: Upload | None) -> str | None:
    """Return the URL of an uploaded image."""
    if upload is None:
        return None
    day = call.state.clock.moment().strftime("%Y/%m/%d")
    name = upload.filename or "image"
    return f"https://static.comics.example/media/{folder}/{day}/{name}"
