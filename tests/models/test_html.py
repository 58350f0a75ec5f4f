"""HTML of models, as notebooks show it."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

import metron_async.models as m
from metron_async._html import label, rows_html

EXCHANGES = json.loads((Path(__file__).parent.parent / "data" / "exchanges.json").read_bytes())
BODIES = {exchange["name"]: exchange["response"]["body"] for exchange in EXCHANGES}
ISSUE = msgspec.json.decode(json.dumps(BODIES["issue.get.with_variant"]), type=m.Issue)


class Tags(HTMLParser):
    """Tags with their attributes, and the text; asserts that tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def changed(**changes: Any) -> m.Issue:
    return msgspec.structs.replace(ISSUE, **changes)


def test_an_issue_is_a_table_with_its_cover() -> None:
    html = changed(image="https://static.metron.cloud/a.jpg?x=1&y=2", isbn="")._repr_html_()
    tags = Tags(html)
    (image,) = (attributes for tag, attributes in tags.seen if tag == "img")
    assert image["src"] == "https://static.metron.cloud/a.jpg?x=1&y=2"
    assert image["loading"] == "lazy"
    assert f"Issue: {ISSUE.series.name} #{ISSUE.number}" in tags.text
    assert ISSUE.publisher.name in tags.text
    assert "price" in tags.text
    assert "isbn" not in tags.text  # empty
    links = [attributes["href"] for tag, attributes in tags.seen if tag == "a"]
    assert links == [ISSUE.resource_url]


@given(st.text(), st.sampled_from(["javascript:alert(1)", 'https://x/"onerror="alert(1)', ""]))
def test_no_text_becomes_markup(text: str, url: str) -> None:
    hostile = f"<script>{text}</script>"
    issue = changed(desc=hostile, number=hostile, image=url, resource_url=url)
    row = m.ArcSummary(id=1, name=hostile, modified=ISSUE.modified)
    for html in (issue._repr_html_(), rows_html([row], hostile)):
        seen = Tags(html).seen
        allowed = {"div", "table", "caption", "tr", "th", "td", "img", "a"}
        assert {tag for tag, _ in seen} <= allowed
        assert not any(key.startswith("on") for _, attributes in seen for key in attributes)
        links = [a.get("href") or a.get("src") for tag, a in seen if tag in {"a", "img"}]
        assert all(link and link.startswith("https://") for link in links)


def test_long_texts_are_cut() -> None:
    assert len(changed(desc="x" * 100_000)._repr_html_()) < 6_000


def test_rows_are_a_table_with_a_column_for_each_field() -> None:
    rows = msgspec.json.decode(
        json.dumps(BODIES["issue.list"]), type=m.PageBody[m.IssueSummary]
    ).results
    tags = Tags(rows_html(rows, "Page 1"))
    count = sum(tag == "tr" for tag, _ in tags.seen)
    assert count == len(rows) + 1
    assert rows[0].issue_name in tags.text
    assert "Page 1" in tags.text
    assert "cover_hash" not in tags.text
    assert Tags(rows_html([])).text == []


def test_a_label_names_what_it_is_given() -> None:
    items = msgspec.json.decode(
        json.dumps(BODIES["collection.filter"]), type=m.PageBody[m.CollectionSummary]
    ).results
    assert label(items[0]) == f"{items[0].issue.series.name} #{items[0].issue.number}"
    assert label(ISSUE.credits) == ", ".join(credit.creator for credit in ISSUE.credits)
    assert label(m.User(id=1, username="reader")) == "reader"
    assert label("a\n b") == "a b"
    assert label(m.RatingResult(id=1, rating=2, modified=ISSUE.modified)).startswith(
        "RatingResult("
    )
