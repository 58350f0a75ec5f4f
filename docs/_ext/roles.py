"""Shows docstrings, which are written to be read in an editor, well on the site.

The cross-reference roles (``:class:`X```) become plain code, since Markdown would print the role
itself; and ``Example:`` becomes ``Examples:``, which is the name under which doctests are shown as
code and not as a quotation of a quotation of a quotation.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)
ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`(~?)([^`<]+)`")


def plain(match: re.Match[str]) -> str:
    """Return the name in backquotes, its last part only where the role says so."""
    short, name = match.groups()
    return f"`{name.rpartition('.')[2] if short else name}`"


class Roles(griffe.Extension):
    """Rewrites every docstring while it is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of *obj*."""
        if obj.docstring is not None:
            text = ROLE.sub(plain, obj.docstring.value)
            obj.docstring.value = EXAMPLE.sub(r"\1Examples:", text)
