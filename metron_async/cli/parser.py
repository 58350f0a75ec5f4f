"""The command line: commands, options, help."""

from __future__ import annotations

import argparse
import difflib
from typing import TYPE_CHECKING, Any, NoReturn

from metron_async._version import __version__
from metron_async.cli.filters import add_filters
from metron_async.mirror import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DETAILS", "make_parser"]

DETAILS = {
    "arc": "arcs",
    "character": "characters",
    "collection": "collection",
    "creator": "creators",
    "imprint": "imprints",
    "issue": "issues",
    "publisher": "publishers",
    "reading-list": "reading_lists",
    "series": "series",
    "team": "teams",
    "universe": "universes",
}
"""What ``get`` can be asked for, and the namespace that has it."""

_ABOUT = """\
Ask Metron, the open comic-book database.

Credentials are taken from the environment: METRON_TOKEN, or METRON_USERNAME and METRON_PASSWORD.
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line; the usage alone would fill a screen."""

    def parse_known_args(  # type: ignore[override]  # two overloads, for other namespaces
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, and let the command itself complain of what it does not know.

        Otherwise the complaint would be the whole program's, which knows none of the filters.
        """
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            # Without its value, which is nobody's business.
            name = next((each for each in unknown if each.startswith("-")), unknown[0])
            name = name.partition("=")[0]
            close = difflib.get_close_matches(name, self._option_string_actions, n=2)
            hint = f" (did you mean {' or '.join(close)}?)" if close else ""
            self.error(f"unknown argument {name}{hint}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="metron-async",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"metron-async {__version__}")
    _add_server(parser, "https://metron.cloud", demo=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = _common()

    quota = commands.add_parser(
        "quota", parents=[common], help="show what is left of the quota", allow_abbrev=False
    )
    quota.add_argument("--json", action="store_true", help="print JSON")

    get = commands.add_parser(
        "get", parents=[common], help="fetch one object in full", allow_abbrev=False
    )
    get.add_argument(
        "kind", choices=sorted(DETAILS), metavar="KIND", help=", ".join(sorted(DETAILS))
    )
    get.add_argument("id", type=int, metavar="ID", help="Metron's id of it")
    get.add_argument("--json", action="store_true", help="print JSON")

    lists = commands.add_parser("list", help="print the rows of a list", allow_abbrev=False)
    _add_lists(lists, common, _add_list_options)

    mirror = commands.add_parser(
        "mirror", help="copy a list into a SQLite file, or bring it up to date", allow_abbrev=False
    )
    mirror.add_argument("file", metavar="FILE", help="the SQLite file, made if there is none")
    _add_lists(mirror, common, _add_mirror_options)
    return parser


def _common() -> _Parser:
    """Return the options that every command has."""
    common = _Parser(add_help=False, allow_abbrev=False)
    # They may stand before the command, too. A default here would undo what was said there.
    _add_server(common, argparse.SUPPRESS, demo=argparse.SUPPRESS)
    return common


def _add_server(parser: _Parser, base_url: str, *, demo: bool | str) -> None:
    """Give *parser* the options that tell which server is asked, with these defaults."""
    parser.add_argument("--base-url", default=base_url, metavar="URL", help="the server")
    parser.add_argument(
        "--demo",
        action="store_true",
        default=demo,
        help="ask a fake server in this process: needs no account",
    )


def _add_lists(
    parser: _Parser, common: _Parser, add_options: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Give *parser* one command for each list, with its filters."""
    commands = parser.add_subparsers(dest="name", required=True, metavar="LIST")
    for name, source in SOURCES.items():
        flag = name.replace("_", "-")
        aliases = [name] if flag != name else []
        made = commands.add_parser(
            flag, aliases=aliases, parents=[common], help=f"the list of {flag}", allow_abbrev=False
        )
        made.set_defaults(source=name)
        add_options(made)
        add_filters(made, source.filters)


def _add_list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument("--limit", type=int, metavar="N", help="stop after N rows")


def _add_mirror_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--plan", action="store_true", help="only tell what it would cost")
    add("--details", action="store_true", help="the objects in full as well, a request for each")
    add("--raw", action="store_true", help="keep the JSON of each row, too")
    add("--full", action="store_true", help="walk the whole list again")
    add("--deletions", action="store_true", help="remove what the server no longer lists")
    add("--wait", action="store_true", help="when the day's quota is used up, wait for the next")
    add("--quiet", action="store_true", help="show no progress")
