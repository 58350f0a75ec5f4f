"""Words of the package, its docs and its examples: phrases that have a plain equivalent.

The phrases are fixed. Single common words are for the reader's judgment.
"""

import re
from pathlib import Path

import pytest

import metron_async

PACKAGE = Path(metron_async.__file__).parent.parent
ROOT = Path(__file__).parent.parent

PLAIN = {
    r"\blest\b": "to avoid",
    r"\bis no (?!longer\b)[a-z]": "is not a",
    r"\bbe one that\b": "must be",
    r"\b(has|have|had) (it|them) not\b": "does not have",
    r"\bcannot be had\b": "failed",
    r"\bcould not be had\b": "failed",
    r"\bcannot be meant\b": "is invalid",
    r"\bmakes no sense\b": "is invalid",
    r"\banew\b": "again",
    r"\bfor ever\b": "without end",
    r"\bunder way\b": "in flight",
    r"\bwhoever\b": "the caller",
    r"\bnobody waits\b": "no caller waits",
    r"\bhanded in\b": "passed in",
    r"\bto be had\b": "available",
    r"\ball the same\b": "in any case",
    r"\bis told\b": "receives",
    r"\bwere promised\b": "are missing",
    r"\bplain text of ASCII\b": "ASCII string",
    r"\bgood for\b": "valid for",
    r"\bcame of\b": "result of",
    r"\bbroken off\b": "interrupted",
    r"\bin a box\b": "includes",
    r"^ *(\"\"\")?Tell (how|whether|what|where|which|who)\b": "Return",
}
"""Phrases (regular expressions, in any case), and what to write instead."""

SOURCES = {
    path.relative_to(root).as_posix(): path
    for root, pattern in (
        (PACKAGE, "metron_async/**/*.py"),
        (ROOT, "docs/**/*.md"),
        (ROOT, "examples/**/*.py"),
        (ROOT, "*.md"),
    )
    for path in sorted(root.glob(pattern))
}


def found_in(text):
    return [
        f"{number}: {match.group()!r}, write {plain!r}"
        for number, line in enumerate(text.splitlines(), 1)
        for phrase, plain in PLAIN.items()
        for match in re.finditer(phrase, line, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", SOURCES)
def test_the_words_are_plain(path):
    assert not found_in(SOURCES[path].read_text("utf-8"))


def test_phrases_are_found():
    assert found_in("Fine.\nNot sent, lest it is no text") == [
        "2: 'lest', write 'to avoid'",
        "2: 'is no t', write 'is not a'",
    ]
    assert found_in('    """Tell whether it is."""')
    assert not found_in("The list is nothing less than a list.")


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("docs/**/*.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
    for path in ROOT.glob(pattern)
)
TWO_SENTENCES = re.compile(r"[\w)`%][.?!] +(?=[A-Z`\[][\w`])")


def prose_of(page):
    """Return the numbered lines of *page* that are prose: no code, no table, no figures."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"<!-- benchmarks -->.*?<!-- end of benchmarks -->", "", text, flags=re.DOTALL)
    text = re.sub(
        r"^ *```.*?^ *```",
        lambda code: "\n" * code[0].count("\n"),
        text,
        flags=re.DOTALL | re.MULTILINE,
    )
    lines = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in lines if not re.match(r" *(\||#|<|:::|    )", line)]


@pytest.mark.parametrize("line", ["No I/O. What is pure", "It is 1 MiB. `from_x` is", "(a). The"])
def test_two_sentences_are_found(line):
    assert TWO_SENTENCES.search(line)
    assert not TWO_SENTENCES.search(line.replace(". ", ".\n"))


@pytest.mark.parametrize("page", PAGES)
def test_markdown_has_one_sentence_per_line(page):
    assert [
        f"{page}:{number}" for number, line in prose_of(page) if TWO_SENTENCES.search(line)
    ] == []
