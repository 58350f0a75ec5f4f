"""What files of comics say about themselves: their names, what is inside, and their sidecars.

A sidecar is a JSON file beside a comic, ``<name>.metron.json``. The fields of an
:class:`~metron_async.matching.IssueQuery` can be added to it manually, as hints. A run adds what
it found, so that the next run does not ask again. All functions read or write files: in a program
with an event loop, call them in a thread.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.errors import ConfigurationError, UsageError
from metron_async.matching.comicinfo import MAX_BYTES, read_comicinfo, read_metroninfo
from metron_async.matching.filenames import read_filename
from metron_async.matching.query import IssueQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from metron_async.matching.decide import Match

__all__ = ["SIDECAR", "ComicFile", "find_comics", "read_comic", "write_match"]

SIDECAR = ".metron.json"
"""What the name of a sidecar adds to the name of its comic."""

_SUFFIXES = frozenset({".cb7", ".cbr", ".cbt", ".cbz", ".pdf"})
_MOST_SIDECAR_BYTES = 8 << 20
_INSIDE: Mapping[str, Callable[[bytes], dict[str, Any]]] = {
    "comicinfo.xml": read_comicinfo,
    "metroninfo.xml": read_metroninfo,
}
"""Documents inside a comic, the better one last."""
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


class ComicFile(msgspec.Struct, frozen=True):
    """A file of a comic, and what is known of it."""

    path: Path
    """The file."""
    query: IssueQuery | None
    """What is known of the comic, or ``None`` if nothing identifies an issue."""
    problem: str = ""
    """Why nothing is known, or ``""``."""
    sidecar: dict[str, Any] = {}
    """Content of the sidecar."""

    @property
    def issue_id(self) -> int | None:
        """Metron's id of the issue, if an earlier run has found it."""
        return _issue_id(self.sidecar)

    @property
    def tried(self) -> bool:
        """Whether an earlier run has searched for it, successfully or not."""
        return isinstance(self.sidecar.get("match"), dict)

    @property
    def has_detail(self) -> bool:
        """Whether the sidecar holds the full issue."""
        return isinstance(self.sidecar.get("detail"), dict)


def find_comics(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the comics among *paths* and in the folders below them, in order, each once.

    Args:
        paths: Files and folders. A file counts whatever its suffix, as it was named.

    Raises:
        UsageError: If a path does not exist.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
            found.update(dict.fromkeys(sorted(inside)))
        elif path.exists():
            found[path] = None
        else:
            msg = f"No such file or folder: {path}"
            raise UsageError(msg)
    return list(found)


def read_comic(path: Path) -> ComicFile:
    """Return what is known of a comic.

    A field is taken from the first that has it: the sidecar, ``MetronInfo.xml`` and
    ``ComicInfo.xml`` inside a CBZ file, the file's name.
    """
    sidecar = _read_sidecar(path)
    fields: dict[str, Any] = {}
    problem = ""
    try:
        fields |= read_filename(path)
    except (ConfigurationError, UsageError) as error:
        problem = str(error)
    inside = _read_inside(path)
    if inside:
        # Names of files are cut and abbreviated: half of one and half of the other fits neither.
        fields = {**fields, **inside} if "number" in inside else {**inside, **fields}
    fields |= {name: sidecar[name] for name in IssueQuery.__struct_fields__ if name in sidecar}
    try:
        query = msgspec.convert(fields, IssueQuery, strict=False)
    except (UsageError, msgspec.ValidationError) as error:
        return ComicFile(path, None, problem or str(error), sidecar)
    return ComicFile(path, query, "", sidecar)


def write_match(comic: ComicFile, match: Match) -> Path:
    """Write what was found into the sidecar of a comic, in one step, and return its path.

    Raises:
        OSError: If it cannot be written.
    """
    content = dict(comic.sidecar)
    content["match"] = msgspec.to_builtins(match_summary(match))
    if match.detail is not None:
        content["detail"] = match.detail.to_dict()
    target = _sidecar_path(comic.path)
    draft = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2))
    draft.replace(target)
    return target


def match_summary(match: Match) -> dict[str, Any]:
    """Return a match as plain values for JSON: issue, how, why, candidates with reasons."""
    return {
        "issue": None if match.issue is None else match.issue.to_dict(),
        "how": match.how,
        "why": match.why,
        "candidates": [
            {
                "issue": found.issue.to_dict(),
                "score": found.score.value,
                "reasons": [reason.text for reason in found.score.reasons],
            }
            for found in match.candidates
        ],
    }


def _sidecar_path(path: Path) -> Path:
    return path.with_name(path.name + SIDECAR)


def _read_sidecar(path: Path) -> dict[str, Any]:
    """Return the content of a sidecar; one that is missing or damaged is empty."""
    try:
        with _sidecar_path(path).open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_SIDECAR_BYTES), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


class _Issue(msgspec.Struct):
    id: int | None = None


class _Match(msgspec.Struct):
    issue: _Issue | None = None


def _issue_id(sidecar: Mapping[str, Any]) -> int | None:
    """Return the id of the issue that an earlier run has found."""
    try:
        issue = msgspec.convert(sidecar.get("match", {}), _Match).issue
    except msgspec.ValidationError:
        return None
    return issue.id if issue is not None else None


def _read_inside(path: Path) -> dict[str, Any]:
    """Return the fields of the documents inside a CBZ file; damaged ones say nothing."""
    fields: dict[str, Any] = {}
    if not zipfile.is_zipfile(path):
        return fields
    try:
        with zipfile.ZipFile(path) as archive:
            for name, read in _INSIDE.items():
                entry = _entry(archive, name)
                if entry is None:
                    continue
                with archive.open(entry) as file:
                    fields |= _or_nothing(read, file.read(MAX_BYTES + 1))
    except _BAD_ZIP:
        pass  # the name of the file still says something
    return fields


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo | None:
    """Return the document *name* that lies nearest to the top of an archive."""
    entries = [e for e in archive.infolist() if e.filename.rpartition("/")[2].lower() == name]
    return min(entries, key=lambda entry: entry.filename.count("/"), default=None)


def _or_nothing(read: Callable[[bytes], dict[str, Any]], xml: bytes) -> dict[str, Any]:
    try:
        return read(xml)
    except UsageError:
        return {}
