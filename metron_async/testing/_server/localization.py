"""Localization of display words by ``Accept-Language``.

The server translates words such as "Ongoing" and "Print", and its own cache does not know the
language. The translations here are the fake's own.
"""

from __future__ import annotations

import contextlib
import functools
from typing import cast

__all__ = ["DEFAULT", "language_of", "localized"]

DEFAULT = "en"
_LOCALIZED = frozenset({"book_format", "issue_type", "list_type", "status"})
_WORDS = {
    "de": {
        "Both": "Beides",
        "Cancelled": "Abgebrochen",
        "Completed": "Abgeschlossen",
        "Core Issue": "Hauptheft",
        "Creator": "Künstler",
        "Digital": "Digital",
        "Event": "Ereignis",
        "Hiatus": "Unterbrochen",
        "Ongoing": "Fortlaufend",
        "Print": "Druck",
    },
    "fr": {
        "Both": "Les deux",
        "Cancelled": "Annulé",
        "Completed": "Terminé",
        "Core Issue": "Numéro principal",
        "Creator": "Auteur",
        "Digital": "Numérique",
        "Event": "Événement",
        "Hiatus": "En pause",
        "Ongoing": "En cours",
        "Print": "Papier",
    },
}


@functools.lru_cache(maxsize=64)
def language_of(accepted: str | None) -> str:
    """Return the language of a response: the first accepted one that the server has."""
    weights: dict[str, float] = {}
    for part in (accepted or "").split(","):
        tag, _, weight = part.strip().lower().partition(";q=")
        language = tag.partition("-")[0]
        with contextlib.suppress(ValueError):
            if language in {DEFAULT, *_WORDS}:
                weights.setdefault(language, float(weight or 1))
    return max(weights, key=weights.__getitem__, default=DEFAULT)


def localized(body: object, language: str) -> object:
    """Return *body* with its display words in *language*."""
    if isinstance(body, list):
        return [localized(item, language) for item in cast("list[object]", body)]
    if not isinstance(body, dict):
        return body
    words = _WORDS[language]
    return {
        name: words.get(value, value)
        if name in _LOCALIZED and isinstance(value, str)
        else localized(value, language)
        for name, value in cast("dict[str, object]", body).items()
    }
