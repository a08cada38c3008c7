"""Every registered encoder says what it is, when to use it, what its options do, and where it comes from."""

from __future__ import annotations

import inspect

import pytest

from encoders import options
from encoders.registry import ENCODERS, encoder_class

NAMES = sorted(ENCODERS)


@pytest.mark.parametrize("name", NAMES)
def test_an_encoder_says_in_one_sentence_what_it_is(name):
    documentation = inspect.getdoc(encoder_class(name)) or ""
    first = documentation.split("\n\n")[0]
    assert first.endswith(".")
    assert len(first.splitlines()) == 1
    assert ENCODERS[name].summary == first.removesuffix(".")


@pytest.mark.parametrize("name", NAMES)
def test_an_encoder_says_when_to_use_it(name):
    assert ENCODERS[name].use.startswith("Use it when ")
    assert ENCODERS[name].use.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_an_encoder_names_its_source(name):
    documentation = inspect.getdoc(encoder_class(name)) or ""
    _, heading, source = documentation.partition("References\n----------\n")
    assert heading
    assert any(character.isdigit() for character in source)  # a year


@pytest.mark.parametrize("name", NAMES)
def test_an_option_has_a_help_text_of_whole_sentences(name):
    for field in options.fields_of(encoder_class(name)):
        text = field.metadata["help"]
        assert text[:1].isupper(), field.name
        assert text.endswith("."), field.name


def test_the_first_option_of_a_projection_is_the_width_of_its_codes():
    modules = {name: entry.location for name, entry in ENCODERS.items()}
    others = ("binarize", "block-transform")  # all components are kept
    projections = [name for name in NAMES if modules[name].startswith("encoders.projection.") and name not in others]
    assert len(projections) == 9
    for name in projections:
        assert options.fields_of(encoder_class(name))[0].name == "n_components"
