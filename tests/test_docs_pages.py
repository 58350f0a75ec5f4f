"""What the documentation repeats is true: charts are the measured ones, the menu has all pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CHART = ROOT / "benchmarks" / "results" / "limiter.png"


@pytest.mark.skipif(not CHART.exists(), reason="the benchmarks are not part of a distribution")
def test_the_limiters_chart_is_the_measured_one() -> None:
    shown = DOCS / "assets" / "limiter.png"
    assert shown.read_bytes() == CHART.read_bytes()


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
