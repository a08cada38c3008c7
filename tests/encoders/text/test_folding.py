"""Laws of the form in which words are compared, over all of Unicode."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest
import regex

from encoders.text.folding import _INVISIBLE, MARKS, fold

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
MARKED = [mark for mark in CHARACTERS if unicodedata.combining(mark)]
DELICATE = "iıİIsSßſKkΣσςΐŉǰéÅﬁ①½ﬀg'’אבגדםןنمحآأؤाठिภำᾳ\u0307\u0345\u00ad\u200d\u0640"
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def texts(count: int) -> list[str]:
    """Return texts of a few characters, many of them delicate ones and marks in any order."""
    rng = random.Random(0)
    pools = [DELICATE, DELICATE, MARKED, CHARACTERS]
    return ["".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 6))) for _ in range(count)]


@pytest.mark.parametrize("marks", MARKS)
def test_every_normal_form_of_a_text_is_folded_alike_and_folding_again_changes_nothing(marks):
    for text in [*CHARACTERS[:0x3000:3], *texts(6000)]:
        folded = fold(text, marks)
        assert {fold(unicodedata.normalize(form, text), marks) for form in ("NFC", "NFD")} == {folded}, ascii(text)
        assert fold(folded, marks) == folded, ascii(text)
    for character in CHARACTERS[:0x3000:3]:
        assert {fold(unicodedata.normalize(form, character), marks) for form in FORMS} == {fold(character, marks)}


@pytest.mark.parametrize("marks", MARKS)
def test_capitals_are_folded_as_their_small_letters(marks):
    for character in CHARACTERS[:0x20000]:
        if character.lower() != character or character.upper() != character:
            assert fold(character.upper(), marks) == fold(character.lower(), marks), ascii(character)


def test_what_cannot_be_seen_is_what_unicode_calls_ignorable_but_for_the_space_of_no_width():
    every = "".join(CHARACTERS)
    ignorable = set(regex.sub(r"\P{Default_Ignorable_Code_Point}+", "", every))
    assert ignorable - set("".join(_INVISIBLE.findall(every))) == {"\u200b"}
    assert _INVISIBLE.sub("", every) == "".join(one for one in CHARACTERS if one == "\u200b" or one not in ignorable)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("İSTANBUL", "istanbul"),
        ("I\u0307stanbul", "istanbul"),
        ("ISPARTA", "isparta"),
        ("ısparta", "isparta"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ΌΔΟΣ", "όδοσ"),
        ("ὁδός", "ὁδόσ"),
        ("Ge\u00adsamt\u00adkon\u00adzept", "gesamtkonzept"),
        ("می\u200cخواهم", "میخواهم"),
        ("ﬁne ｗｉｄｅ ｶﾞ", "fine wide ガ"),
        ("don’t", "don't"),
        ("צה״ל", 'צה"ל'),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("آب", "آب"),
        ("naïve Ångström", "naïve ångström"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_forms_that_people_know(text, folded):
    assert fold(text) == folded


def test_accents_are_dropped_of_alphabets_only():
    assert fold("Crème BRÛLÉE, ёлка, ὁδός, हिन्दी, がぎ", "accents") == "creme brulee, елка, οδοσ, हिन्दी, がぎ"
