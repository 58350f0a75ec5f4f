"""From bytes to Structs: one decoder per type, made once, and one kind of error."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from metron_async.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.messages import Request

__all__ = ["decode", "decoder_for"]

T = TypeVar("T")

_SHOWN = 200  # characters of a decoder's message that an error repeats


def decoder_for(kind: type[T]) -> Callable[[bytes], T]:
    """Return the function that decodes JSON into *kind*."""
    decoder: Callable[[bytes], T] = _decoder_for(cast("Any", kind))
    return decoder


@functools.cache
def _decoder_for(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


def decode(request: Request, decoder: Callable[[bytes], T], body: bytes) -> T:
    """Decode *body*, the answer to *request*.

    Raises:
        DecodeError: If it is not JSON, or not of the promised shape.
    """
    try:
        return decoder(body)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `")
        message = f"The answer is not what the API promises: {text[:_SHOWN]}"
        where = place.rstrip("`") or "$"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message, where = f"The answer is not valid JSON: {str(error)[:_SHOWN]}", None
    if where:
        message += f" at {where[:_SHOWN]}"
    raise DecodeError(message, path=request.target, status=200, where=where)
