"""What README.md promises at first sight: a short program, and two commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def test_the_first_program_is_short() -> None:
    assert len(CODE[0].splitlines()) <= 10


def test_there_are_two_commands() -> None:
    assert [line for line in COMMANDS if "nox -s" in line] == [
        "python -m pip install nox && python -m nox -s demo",
        "python -m pip install nox && python -m nox -s tests",
    ]


REPOSITORY = r"https://github\.com/metron-async/metron-async/(?:blob|tree)/main/"


def test_links_work_on_a_package_index() -> None:
    assert re.findall(r"\]\((?!https://)[^)]*\)", README) == []
    assert re.findall(r"^\[[^]]+\]: (?!https://).*", README, re.MULTILINE) == []
    linked = re.findall(REPOSITORY + r"((?:docs|examples)/[^)#\s]+)", README)
    assert len(linked) > 15
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_every_name_of_a_link_is_defined() -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", README, flags=re.DOTALL)
    definition = re.compile(r"^\[([^]]+)\]: .*$", re.MULTILINE)
    defined = set(definition.findall(text))
    used = set(re.findall(r"\[([^][]+)\](?!\[|\()", definition.sub("", text)))
    assert used == defined
