"""Checks the built site: what is public has an entry, and nothing is loaded from elsewhere.

Usage: ``python docs/_ext/check.py site``
"""

from __future__ import annotations

import importlib
import re
import sys
import zlib
from functools import cached_property
from pathlib import Path
from types import FunctionType

from metron_async import MetronView

PARTS = ["", ".types", ".errors", ".models", ".filters", ".enums", ".storage", ".cache", ".mirror"]
PARTS += [".matching", ".testing"]
LOADS = re.compile(
    r"<(?:script|img|iframe|link(?![^>]*rel=[\"']?(?:next|prev|edit|canonical)))\b"
    r"[^>]*?(?:src|href)=[\"']?https?://"
)
"""Parts of a page that a browser fetches; a link to another page is not one."""


def documented(site: Path) -> set[str]:
    """Return the names that have an entry, from the inventory that mkdocstrings writes."""
    inventory = (site / "objects.inv").read_bytes()
    body = inventory.split(b"\n", 4)[4]  # after four lines of comments
    return {line.split(" ", 1)[0] for line in zlib.decompress(body).decode().splitlines()}


def undocumented(site: Path) -> list[str]:
    """Return the public names without an entry, neither here nor where they are defined."""
    known = documented(site)
    missing: list[str] = []
    for suffix in PARTS:
        module = importlib.import_module(f"metron_async{suffix}")
        for name in module.__all__:
            value = getattr(module, name)
            if not isinstance(value, type | FunctionType):
                continue  # constants and aliases need no entry of their own
            home = f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', name)}"
            if not {f"{module.__name__}.{name}", home} & known:
                missing.append(f"{module.__name__}.{name}")
    for name, value in vars(MetronView).items():
        if isinstance(value, cached_property):
            kind = value.func.__annotations__["return"]
            if not any(entry.endswith(f".{kind}") for entry in known):
                missing.append(f"metron.{name} ({kind})")
    return missing


def loading(site: Path) -> list[str]:
    """Return the pages that load something from another host."""
    return [
        page.as_posix()
        for page in sorted(site.rglob("*.html"))
        if LOADS.search(page.read_text(encoding="utf-8"))
    ]


def abstract(site: Path) -> list[str]:
    """Return the pages of namespaces that show a type variable, or keywords without their names."""
    wrong: list[str] = []
    for page in sorted((site / "reference" / "namespaces").glob("*.html")):
        text = page.read_text(encoding="utf-8")
        words = set(re.findall(r"\w+", re.sub(r"<[^>]+>", " ", text)))
        if words & {"TypeVar", "D", "R", "I", "W"} or ("Unpack" in words and "Other" not in words):
            wrong.append(page.as_posix())
    return wrong


def main(site: Path) -> None:
    """Print what is wrong, and exit accordingly."""
    problems = [f"{name} is not documented" for name in undocumented(site)]
    problems += [f"{page} shows types or keywords that are not concrete" for page in abstract(site)]
    problems += [f"{page} loads something from elsewhere" for page in loading(site)]
    sys.exit("\n".join(problems) or None)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
