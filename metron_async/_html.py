"""HTML of models and pages for notebooks."""

from collections.abc import Iterable
from html import escape
from typing import Any

__all__ = ["label", "record_html", "rows_html"]

_LONGEST = 300  # characters of a cell
_NAMES = ("issue_name", "display_name", "name", "username", "creator")


def label(value: Any) -> str:
    """Return one line that names a field's value to a person.

    Args:
        value: A model, a tuple of models, or a plain value.

    Returns:
        The name of a model, names joined by commas, or the value as a string.
    """
    if isinstance(value, tuple):
        return ", ".join(map(label, value))  # pyright: ignore[reportUnknownArgumentType]
    fields = getattr(value, "__struct_fields__", ())
    for name in _NAMES:
        if name in fields:
            return str(getattr(value, name))
    number = f" #{value.number}" if "number" in fields else ""
    for name in ("series", "issue"):
        if name in fields:
            return label(getattr(value, name)) + number
    return " ".join(str(value).split())


def record_html(record: Any) -> str:
    """Return a table of a model's fields that are not empty, with its picture.

    Args:
        record: The model.
    """
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    rows = [
        f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>"
        for name, value in values.items()
        if value not in (None, "", ()) and name != "image"
    ]
    image = str(values.get("image") or "")
    picture = ""
    if image.startswith(("https://", "http://")):
        picture = (
            f'<img src="{escape(image)}" alt="" loading="lazy" referrerpolicy="no-referrer"'
            ' style="max-height: 20em; float: left; margin-right: 1em">'
        )
    title = f"{type(record).__name__}: {label(record)}"
    return f"<div>{picture}<table><caption>{escape(title)}</caption>{''.join(rows)}</table></div>"


def rows_html(rows: Iterable[Any], title: str = "") -> str:
    """Return a table of rows of one list, with a column for each field but pictures.

    Args:
        rows: The rows.
        title: Caption, such as ``"Page 1, 100 of 5,230 rows"``.
    """
    listed = list(rows)
    hidden = {"image", "cover_hash"}
    names = [n for n in listed[0].__struct_fields__ if n not in hidden] if listed else []
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(getattr(row, name))}</td>' for name in names)}</tr>"
        for row in listed
    )
    return f"<table><caption>{escape(title)}</caption><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    text = "" if value is None else label(value)
    if text.startswith(("https://", "http://")):
        return f'<a href="{escape(text)}" rel="noreferrer">{escape(text)}</a>'
    return escape(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
