"""The command line: commands, options, help."""

from __future__ import annotations

import argparse
import difflib
from datetime import timedelta
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
"""Kinds of object that ``get`` fetches, and their namespaces."""

_LISTS = {
    "arcs": "story arcs",
    "characters": "characters",
    "collection": "the account's comics",
    "creators": "writers, artists and others",
    "imprints": "imprints of publishers",
    "issues": "single issues",
    "publishers": "publishers",
    "pull_list": "the series that the account follows",
    "reading_lists": "reading lists",
    "roles": "roles of creators",
    "series": "series",
    "series_types": "types of series",
    "teams": "teams of characters",
    "universes": "universes",
    "wish_list": "the issues that the account wants",
}

_ABOUT = """\
Query Metron, the open comic-book database.

Credentials are taken from the environment: METRON_TOKEN, METRON_TOKEN_FILE (the path of a file),
or METRON_USERNAME and METRON_PASSWORD. No account is needed with --demo.
So are the defaults of --base-url (METRON_BASE_URL) and --storage (METRON_ASYNC_STORAGE).
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def parse_known_args(  # type: ignore[override]  # two overloads, for other namespaces
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, and refuse unknown arguments in the name of the command that has them."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            # Without its value, which may be a secret.
            name = next((each for each in unknown if each.startswith("-")), unknown[0])
            name = name.partition("=")[0]
            close = difflib.get_close_matches(name, self._option_string_actions, n=2)
            hint = f" (did you mean {' or '.join(close)}?)" if close else ""
            self.error(f"unknown argument {name}{hint}")
        return known, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is not among the choices, with those that it may have meant."""
        if action.choices is None or value in action.choices:
            return
        close = difflib.get_close_matches(str(value), map(str, action.choices), n=2)
        hint = f"did you mean {' or '.join(close)}?" if close else ""
        hint = hint or f"choose from {', '.join(map(str, action.choices))}"
        raise argparse.ArgumentError(action, f"invalid choice: {value!r} ({hint})")

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, and exit."""
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
    _add_server(parser, default=None)
    # The same options may follow a command. A default there would undo what stood before it.
    common = _Parser(add_help=False, allow_abbrev=False)
    _add_server(common, default=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[common], help=text, allow_abbrev=False)

    _add_json(add("quota", "show what is left of the quota"))
    get = add("get", "fetch one complete object")
    get.add_argument(
        "kind",
        type=lambda name: name.replace("_", "-"),
        choices=sorted(DETAILS),
        metavar="KIND",
        help=", ".join(sorted(DETAILS)),
    )
    get.add_argument("id", type=int, metavar="ID", help="its id at Metron")
    _add_json(get)
    _add_lists(add("list", "print the rows of a list"), common, _add_list_options)
    mirror = add("mirror", "copy a list into a SQLite file, or bring it up to date")
    mirror.add_argument("file", metavar="FILE", help="the SQLite file, created if missing")
    _add_lists(mirror, common, _add_mirror_options)
    match = add("match", "find the issues that files are")
    match.add_argument("paths", nargs="+", metavar="PATH", help="files and folders of comics")
    _add_match_options(match)
    _add_json(add("doctor", "show account, limits, storage, network and versions; one request"))
    _add_cache(add("cache", "show or empty the cache"), common)
    return parser


def _add_server(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    """Add the options that every command has."""
    flag = default if default is not None else False
    add = parser.add_argument
    add("--base-url", default=default, metavar="URL", help="the server")
    add(
        "--storage",
        default=default,
        metavar="PLACE",
        help="where quota and cache are shared: a directory, :memory:, or redis://...",
    )
    add(
        "--allow-plain-http",
        action="store_true",
        default=flag,
        help="allow http to another machine: credentials can be read on the way",
    )
    add(
        "--demo",
        action="store_true",
        default=flag,
        help="use a fake server in this process: needs no account",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_lists(
    parser: argparse.ArgumentParser,
    common: _Parser,
    add_options: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add one command for each list, with its filters."""
    commands = parser.add_subparsers(dest="name", required=True, metavar="LIST")
    for name, source in SOURCES.items():
        flag = name.replace("_", "-")
        aliases = [name] if flag != name else []
        made = commands.add_parser(
            flag, aliases=aliases, parents=[common], help=_LISTS[name], allow_abbrev=False
        )
        made.set_defaults(source=name)
        add_options(made)
        add_filters(made, source.filters)


def _add_list_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    parser.add_argument("--limit", type=int, metavar="N", help="stop after N rows")


def _add_mirror_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--plan", action="store_true", help="only show what it would cost")
    add("--details", action="store_true", help="the complete objects as well, a request for each")
    add("--raw", action="store_true", help="keep the JSON of each row, too")
    add("--full", action="store_true", help="walk the whole list again")
    add("--deletions", action="store_true", help="remove what the server no longer lists")
    add("--skip-bad-rows", action="store_true", help="skip and count rows that cannot be read")
    add("--wait", action="store_true", help="when the day's quota is used up, wait for the next")
    add("--quiet", action="store_true", help="show no progress")
    add("--json", action="store_true", help="print the result as JSON")


def _add_cache(parser: argparse.ArgumentParser, common: _Parser) -> None:
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("info", "show how large it is"),
        ("clear", "remove everything"),
        ("purge", "remove old entries, or those of one resource"),
    ):
        made = commands.add_parser(name, parents=[common], help=text, allow_abbrev=False)
        _add_json(made)
        if name == "purge":
            made.add_argument(
                "--resource",
                type=lambda name: name.replace("-", "_"),
                choices=sorted({source.path.partition("/")[0] for source in SOURCES.values()}),
                metavar="NAME",
                help="such as issue or series",
            )
            made.add_argument("--older-than", type=_days, metavar="DAYS", help="age in days")


def _days(text: str) -> timedelta:
    """Return *text* as an age."""
    try:
        days = timedelta(days=float(text))
    except (ValueError, OverflowError):
        days = timedelta(-1)
    if days < timedelta(0):
        msg = f"{text!r} is not a number of days"
        raise argparse.ArgumentTypeError(msg)
    return days


def _add_match_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--json", action="store_true", help="print one JSON object per file")
    add(
        "--write",
        choices=("none", "json"),
        default="none",
        help="json: write what was found beside each file, and skip files that have it",
    )
    add("--details", action="store_true", help="the full issues as well, a request for each")
    add("--retry", action="store_true", help="search again for files that were not decided")
    add("--plan", action="store_true", help="only show what it would cost")
    add("--wait", action="store_true", help="when the day's quota is used up, wait for the next")
    add("--quiet", action="store_true", help="show no progress")
