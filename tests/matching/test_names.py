"""Normal forms of names: what they remove, and that they never lose a letter."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metron_async.matching.names import (
    EQUAL,
    LOOSE,
    SUBTITLE,
    name_similarity,
    normal_name,
    search_stems,
    search_words,
    squashed_name,
)

names = st.text(max_size=60)
titles = st.lists(
    st.sampled_from(["The", "Wolf", "savage", "&", "and", "Spider-Man", "Doctor", ":", "2"]),
    min_size=1,
    max_size=6,
).map(" ".join)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BATMAN", "batman"),
        ("Café Noir", "Cafe Noir"),
        ("Drystan & Esyllt", "Drystan and Esyllt"),
        ("Assassin\u2019s Creed", "Assassins Creed"),
        ("Assassin's Creed", "Assassin\u2018s Creed"),
        ("Batman/Superman", "Batman - Superman"),
        ("Cyberpunk 2077: You Have My Word", "Cyberpunk 2077 - You Have My Word"),
        ("Monster_Island", "Monster Island"),
        ("Œuvre Æther Łódź Ørsted", "oeuvre aether lodz orsted"),
        ("STRASSE", "Straße"),
        ("\uff21\uff22\uff23 \uff11\uff12", "abc 12"),
        ("Атака Титанов", "атака титанов"),
        ("X\u00ad-Men", "X-Men"),
    ],
)
def test_spellings_of_one_name_have_one_normal_form(one, other):
    assert normal_name(one) == normal_name(other)
    assert name_similarity(one, other) == EQUAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Defenders", "Defenders"),
        ("Amazing Spider-Man, The", "The Amazing Spider-Man"),
        ("Spiderman", "Spider-Man"),
        ("Les Schtroumpfs", "Schtroumpfs"),
        ("Doctor Strange", "Dr. Strange"),
        ("C.O.W.L.", "COWL"),
        ("Archer + Armstrong", "Archer & Armstrong"),
        ("2000AD", "2000 AD"),
        ("Alien vs. Predator", "Alien versus Predator"),
    ],
)
def test_looser_spellings_are_nearly_equal(one, other):
    assert name_similarity(one, other) == LOOSE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A-Force", "Force"),  # no article
        ("Batman", "Batman Annual"),
        ("Savage Wolf", "Savage Wolves"),
        ("X-Men", "X-Men Unlimited"),
        ("52", "Trinity 52"),
        ("Die", "Die Hard"),
        ("が", "か"),
        ("कि", "का"),  # vowel signs are not accents
        ("!", "?"),
        ("The", "And"),
    ],
)
def test_different_names_stay_apart(one, other):
    assert name_similarity(one, other) < SUBTITLE


def test_a_name_is_like_itself_with_a_subtitle():
    assert name_similarity("Batman", "Batman: Year One") == SUBTITLE
    assert name_similarity("Batman \u2013 Year One", "Batman") == SUBTITLE


@given(names, names)
def test_similarity_is_symmetric_and_bounded(one, other):
    assert name_similarity(one, other) == name_similarity(other, one)
    assert 0 <= name_similarity(one, other) <= 1


@given(names)
def test_a_name_equals_itself(name):
    assert name_similarity(name, name) == EQUAL


def letters(text: str) -> int:
    """Count letters and digits; a mark that is encoded as a letter of its own is not one."""
    decomposed = (unicodedata.normalize("NFKD", character) for character in text)
    return sum(any(unicodedata.category(one)[0] in "LN" for one in each) for each in decomposed)


@given(st.text(st.characters(categories=("L", "N", "P", "Zs", "S", "M")), max_size=40))
@example("가각힣")
@example("ǅ ŉ ﬃ ß")
@example("ไทย हिन्दी עברית العربية ἀρχή")
@example("\ufc5e")  # two Arabic marks on a space
def test_no_letter_of_any_script_is_lost(text):
    assert letters(normal_name(text)) >= letters(text)


@given(st.characters(categories=("L", "Nd")))
def test_every_letter_alone_keeps_a_form(letter):
    assert letters(normal_name(letter)) >= 1
    assert normal_name(f"x{letter}y") != normal_name("xy")


@given(st.characters(categories=("Mc", "Mn")).filter(lambda c: not "\u0300" <= c <= "\u036f"))
def test_vowel_signs_of_other_scripts_are_kept(mark):
    assert normal_name(f"क{mark}") != normal_name("क")


@given(names)
@example("'\xa0")
def test_a_normal_form_is_its_own_normal_form(text):
    assert normal_name(normal_name(text)) == normal_name(text)


@given(names)
def test_only_blank_names_have_empty_forms(text):
    visible = any(not c.isspace() and unicodedata.category(c) != "Cf" for c in text)
    if visible:
        assert squashed_name(text) or not normal_name(text)


@given(titles)
def test_the_search_words_occur_in_every_spelling(title):
    spelled = normal_name(title.replace("&", "and"))
    for word in search_words(title).casefold().split():
        assert word in spelled or not spelled


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Cory Doctorow's Tales", "cory doctorow tale"),
        ("The Amazing Spider-Man", "amazing spider man"),
        ("Drystan & Esyllt", "drystan esyllt"),
        ("Dr. Doom", "doom"),
        ("2000AD", "2000 ad"),
        ("The", "the"),
        ("!?", "!?"),
        ("W.I.T.C.H.", "w i t c h"),
        (" ".join(f"word{n}x" for n in range(12)), "word 0 x 1 2 3 4 5 6 7 8 9 10 11"),
    ],
)
def test_search_words(name, words):
    found = search_words(name)
    assert len(found.split()) <= 8
    assert set(found.split()) <= set(words.split())
    if len(words.split()) <= 8:
        assert found == words


def test_search_stems_are_the_widest_search():
    assert search_stems("The Amazing Spiderman") == "amazi spide"
    assert search_stems("X") == "x"
    assert search_stems("  ?! ") == "?!"
