"""The options of a call: taken as given, or refused with their name."""

import inspect
import math

import pytest

from metron_async import AsyncMetron, CallOptions, OptionArguments, Priority, UsageError
from metron_async._engine.options import DEFAULT, checked_options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", Priority.BULK),
        ("max_wait", 0),
        ("max_wait", 2.5),
        ("max_wait", math.inf),
        ("max_wait", None),
        ("timeout", 3),
        ("timeout", None),
        ("fresh_for", 0.0),
        ("retries", 0),
        ("retries", 10),
        ("refresh", True),
        ("offline", True),
        ("stale_if_error", False),
        ("on_wait", print),
        ("on_wait", None),
    ],
)
def test_good_values_are_taken(name, value):
    options = checked_options(CallOptions(), {name: value})
    assert getattr(options, name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", 1),
        ("priority", "BULK"),
        ("max_wait", -1),
        ("max_wait", math.nan),
        ("max_wait", "2"),
        ("max_wait", True),
        ("timeout", -0.1),
        ("timeout", 0),
        ("timeout", "3"),
        ("fresh_for", object()),
        ("retries", -1),
        ("retries", 11),
        ("retries", 1.0),
        ("retries", True),
        ("refresh", 1),
        ("offline", None),
        ("stale_if_error", "yes"),
        ("on_wait", 5),
        ("max_wiat", 5),
    ],
)
def test_bad_values_are_refused_by_name(name, value):
    with pytest.raises(UsageError, match=name):
        checked_options(CallOptions(), {name: value})


def test_refresh_and_offline_exclude_each_other():
    with pytest.raises(UsageError, match="mutually exclusive"):
        checked_options(CallOptions(refresh=True), {"offline": True})


def test_every_option_is_declared_and_kept():
    declared = set(OptionArguments.__annotations__)
    assert declared == set(CallOptions.__struct_fields__)
    base = checked_options(CallOptions(), {"retries": 5})
    assert checked_options(base, {}) == base
    assert checked_options(base, {"timeout": 1.0}).retries == 5


def test_the_default_shows_its_name_in_signatures():
    assert repr(DEFAULT) == "DEFAULT"
    assert "DEFAULT" in str(inspect.signature(AsyncMetron))
