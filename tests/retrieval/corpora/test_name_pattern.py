"""Patterns of file names: what they read, and what is no pattern."""

import pytest

from encoders.errors import OptionError
from retrieval.corpora.name_pattern import NamePattern


@pytest.mark.parametrize(
    ("pattern", "name", "fields"),
    [
        ("{digit}_{speaker}_{take}", "0_ann_12.wav", {"digit": "0", "speaker": "ann", "take": "12"}),
        ("{digit}_{speaker}_{take}", "0_mary_ann_12.wav", None),  # which part is the speaker?
        ("{digit}_{speaker}", "a/0_ann.wav", {"digit": "0", "speaker": "ann"}),
        ("{digit}_{speaker}", "0_.wav", None),
        ("{speaker}/{digit}", "x/ann/0.wav", {"speaker": "ann", "digit": "0"}),
        ("{speaker}/{digit}", "0.wav", None),
        ("take{n}", "take7.flac", {"n": "7"}),
        ("take{n}", "7.flac", None),
        ("{a}.{b}", "x.y.wav", {"a": "x", "b": "y"}),
        ("({a})+{b}", "(x)+y.wav", {"a": "x", "b": "y"}),
    ],
)
def test_fields(pattern, name, fields):
    assert NamePattern(pattern).read(name) == fields


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("take", "should name fields in braces"),
        ("{a", "should name fields in braces"),
        ("{a}_{", "should name fields in braces"),
        ("{}_{b}", "'{}' is not a field name"),
        ("{a b}", "'{a b}' is not a field name"),
        ("{a}_{a}", "two fields have the same name"),
        ("{a}{b}", "nothing separates two fields"),
        ("{label}_{b}", "no field can be called {label}"),
    ],
)
def test_what_is_no_pattern(pattern, message):
    with pytest.raises(OptionError, match=message):
        NamePattern(pattern)
