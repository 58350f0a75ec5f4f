"""The small vocabularies that other records refer to: roles, series types, genres."""

from metron_async.models.common import BasicRef

__all__ = ["AgeRating", "Genre", "Role", "SeriesType"]


class Role(BasicRef, frozen=True, kw_only=True):
    """What a creator does, such as ``"Writer"``."""


class SeriesType(BasicRef, frozen=True, kw_only=True):
    """A kind of series, such as ``"Limited Series"``."""


class Genre(BasicRef, frozen=True, kw_only=True):
    """A genre, such as ``"War"``."""


class AgeRating(BasicRef, frozen=True, kw_only=True):
    """For whom an issue is meant, such as ``"Mature"``; the API calls it ``rating``."""
