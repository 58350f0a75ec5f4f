"""Issue numbers: one normal form, and the spellings that the server may have."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async.matching.numbers import (
    normal_number,
    number_spellings,
    same_number,
    split_number,
)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("1", "1"),
        ("001", "1"),
        ("000", "0"),
        ("#3", "3"),
        ("No. 5", "5"),
        ("Issue 7", "7"),
        ("3 (of 6)", "3"),
        ("3 of 06", "3"),
        ("½", "0.5"),
        ("1/2", "0.5"),
        ("0.5", "0.5"),
        ("0.50", "0.5"),
        (".5", "0.5"),
        ("1½", "1.5"),
        ("1 1/2", "1.5"),
        ("1-1/2", "1.5"),
        ("11/2", "11/2"),
        ("¼", "0.25"),
        ("1.0", "1"),
        ("1,5", "1.5"),
        ("1,000", "1000"),
        ("1.MU", "1mu"),
        ("27AU", "27au"),
        ("80.bey", "80bey"),
        ("-1", "-1"),
        ("\u22121", "-1"),
        ("-01", "-1"),
        ("-0", "0"),
        ("9-5", "9-5"),
        ("009-05", "9-5"),
        ("Annual 1", "annual 1"),
        ("ANNUAL  01", "annual 1"),
        ("B1", "b1"),
        ("B01", "b1"),
        ("100+", "100+"),
        ("0.0.1", "0.1"),
        ("1.01", "1.01"),
        ("∞", "∞"),
        ("\uff11\uff12", "12"),
        ("٣", "3"),
        ("", ""),
        ("#", "#"),
    ],
)
def test_normal_form(written, normal):
    assert normal_number(written) == normal
    assert same_number(written, normal)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "10"), ("1", "-1"), ("9-5", "95"), ("1/2", "12"), ("B1", "1"), ("100+", "100")],
)
def test_different_numbers_stay_apart(one, other):
    assert not same_number(one, other)


@given(st.text(max_size=12))
def test_a_normal_form_is_its_own_normal_form(number):
    assert normal_number(normal_number(number)) == normal_number(number)


@given(st.integers(min_value=0, max_value=9_999), st.integers(min_value=0, max_value=4))
def test_leading_zeros_do_not_matter(number, zeros):
    assert same_number("0" * zeros + str(number), str(number))


@given(st.text(st.characters(categories=("L",)), min_size=1, max_size=8))
def test_no_letter_is_lost(text):
    def letters(string):
        return sum(unicodedata.category(c)[0] == "L" for c in string)

    # What stands before it is a number, so that it is not one of the words for "number".
    assert letters(normal_number(f"1 {text}")) >= letters(text)


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        ("001", ("1",)),
        ("½", ("0.5", "½", "1/2")),
        ("1.5", ("1.5", "1½")),
        ("1.MU", ("1.mu", "1mu")),
        ("1a", ("1a", "1.a")),
        ("1.25", ("1.25", "1¼")),
        ("-0.5", ("-0.5",)),
        ("1.75x", ("1.75x", "1.75.x")),
    ],
)
def test_spellings_that_the_server_may_have(number, spellings):
    assert number_spellings(number) == spellings
    assert len({normal_number(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("Annual 1", ("Annual", "1")),
        ("annual #02", ("Annual", "02")),
        ("Annual", ("Annual", "1")),
        ("Special 3", ("Special", "3")),
        ("12", ("", "12")),
        ("annually", ("", "annually")),
    ],
)
def test_kinds_are_split_off(number, parts):
    assert split_number(number) == parts
