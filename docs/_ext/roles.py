"""Shows the cross-reference roles of docstrings (``:class:`X```) as plain code.

The docstrings are written to be read in an editor, where ``:class:`` says what a name is. The
site shows them through Markdown, which would print the role itself.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`(~?)([^`<]+)`")


def plain(match: re.Match[str]) -> str:
    """Return the name in backquotes, its last part only where the role says so."""
    short, name = match.groups()
    return f"`{name.rpartition('.')[2] if short else name}`"


class Roles(griffe.Extension):
    """Rewrites the roles of every docstring while it is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of *obj*."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(plain, obj.docstring.value)
