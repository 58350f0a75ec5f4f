"""The menu of the documentation has all pages, and no page shows its markup."""

from __future__ import annotations

import re
from pathlib import Path

from metron_async import __version__

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert pages == set(re.findall(r"[\w/-]+\.md\b", menu))


def test_attributes_of_a_paragraph_have_a_line_of_their_own() -> None:
    # Otherwise the site shows them as text.
    assert [
        f"{page.relative_to(ROOT)}: {line}"
        for page in DOCS.rglob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.search(r"\S +\{ *[.#]\w+ *\}$", line)
    ] == []


def test_every_page_has_the_version() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert f"\ncopyright: metron_async {__version__}\n" in settings
