"""The grammar of specs: what is written is read back, what is wrong is marked."""

from __future__ import annotations

import pytest

from encoders.errors import OptionError, SpecError, UnknownNameError
from encoders.registry import ENCODERS, OTHER_NAMES, create
from encoders.spec import Stage, parse, write_stage


def test_stages_arguments_and_options():
    assert parse("tfidf:min-df=2+lsa:128,seed=7") == [
        Stage("tfidf", None, {"min-df": "2"}),
        Stage("lsa", "128", {"seed": "7"}),
    ]


def test_options_behind_a_question_mark_are_those_of_a_list():
    address = "endpoint:http://h:80/v1?model=a/b:c&query_prompt=search: &prompt=x%2By%26z+truncate:8"
    named = {"model": "a/b:c", "query-prompt": "search: ", "prompt": "x+y&z"}
    assert parse(address) == [Stage("endpoint", "http://h:80/v1", named), Stage("truncate", "8", {})]
    written = write_stage("endpoint", "http://h:80/v1", named)
    assert parse(f"{written}+truncate:8") == parse(address)
    assert parse("sbert:what?") == [Stage("sbert", "what?", {})]
    with pytest.raises(OptionError, match="given twice"):
        parse("given:v.npy?ids=a&ids=b")


@pytest.mark.parametrize(
    "value",
    ["plain", "", "a+b", "a,b", "a=b", "two words", 'a "quote"', "back\\slash", "/models/mini lm", "C:\\models", "a:b", "東京",
     "tab\tand\nline"],
)  # fmt: skip
def test_any_value_survives_writing_and_reading(value):
    written = write_stage("name", value, {"key": value})
    assert parse(f"{written}+next") == [Stage("name", value, {"key": value}), Stage("next", None, {})]


@pytest.mark.parametrize(
    ("text", "place", "wanted"),
    [
        ("", 0, "an encoder name"),
        ("+lsa", 0, "an encoder name"),
        ("tfidf+", 6, "an encoder name"),
        ("tfidf++lsa", 6, "an encoder name"),
        ("pca:", 4, "an option"),
        ("pca:30,,", 7, "an option"),
        ("pca:30,40", 7, "key=value"),
        ("pca:k=", 6, "a value for 'k'"),
        ("pca:k=1,k=2", 8, "'k' only once"),
        ('sbert:"open', 6, "a closing double quote"),
        ("pca 30", 3, "'+' or the end"),
    ],
)
def test_the_place_of_a_mistake_is_marked(text, place, wanted):
    with pytest.raises(SpecError) as raised:
        parse(text)
    message, shown, mark = str(raised.value).split("\n")
    assert message.startswith(f"expected {wanted}, found ")
    assert shown == f"  {text}"
    assert mark == " " * (2 + place) + "^"


@pytest.mark.parametrize(
    "spec", ["tfidf+lsa:128", "pixels+deep-ae:500-30,epochs=3+binarize", "bm25:stem=none,k1=0.9", "bow:2000"]
)
def test_a_built_encoder_writes_the_spec_it_was_built_from(spec):
    assert str(create(spec)) == spec
    assert create(create(spec).spec(full=True)) == create(spec)


def test_a_mistyped_name_is_corrected():
    with pytest.raises(UnknownNameError, match="unknown encoder 'tfid'; did you mean 'tfidf'"):
        create("tfid+lsa")
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        create("pixels+deep-ae:epoch=3")


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("PCA", "pca"),
        ("tf-idf", "tfidf"),
        ("TF_IDF", "tfidf"),
        ("random_projection", "random-projection"),
        ("svd", "lsa"),
        ("Autoencoder", "deep-ae"),
        ("GMM", "mixture"),
        ("conv-ae:8-16-32", "conv-ae:channels=8-16-32"),
        ("unet-ae:8-16", "unet-ae:channels=8-16"),
        ("hac:complete", "hac:linkage=complete"),
        ("kmeans:triangle", "kmeans:codes=triangle"),
        ("pca:k=30", "n-components"),
        ("pca:dim=30", "n-components"),
    ],
)
def test_what_was_probably_meant_is_said(spec, meant):
    with pytest.raises((UnknownNameError, OptionError), match=f"did you mean '{meant}'"):
        create(spec)


@pytest.mark.parametrize("spec", ["pca:50-20", "pca:many", "kmeans:x", "conv-ae:n-components=8-16-32"])
def test_nothing_is_suggested_where_nothing_fits(spec):
    with pytest.raises(OptionError, match="should be a whole number") as raised:
        create(spec)
    assert "did you mean" not in str(raised.value)


def test_other_names_lead_to_encoders():
    assert set(OTHER_NAMES.values()) <= set(ENCODERS)
    assert not set(OTHER_NAMES) & set(ENCODERS)


def test_an_option_given_twice_is_refused():
    with pytest.raises(OptionError, match="n-components is given twice"):
        create("pca:30,n_components=40")


def test_texts_are_read_by_the_first_stage_only():
    with pytest.raises(SpecError, match="'tfidf' reads texts, so it cannot come after 'pca'"):
        create("pca+tfidf")


def test_an_old_name_of_an_option_is_read():
    assert str(create("hac:2,most=8")) == "hac:2,max-items=8"


@pytest.mark.parametrize("text", ["pixels+pca:3+", "pca:3+", "bm25:method=bm25++"])
def test_a_plus_at_the_end_expects_an_encoder(text):
    with pytest.raises(SpecError, match=r"found .* in the spec\n"):
        parse(text)
