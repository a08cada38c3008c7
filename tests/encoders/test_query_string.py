"""``key=value&key=value`` behind a ``?``: what is read, what is refused, and that writing is the inverse of reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.errors import OptionError
from encoders.query_string import parse_query_string, unknown_option, write_query_string

#: Any text that UTF-8 can hold.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("text=body", {"text": "body"}),
        ("text=body&id=key", {"text": "body", "id": "key"}),
        ("text=a%26b&delimiter=+", {"text": "a&b", "delimiter": "+"}),
        ("a=b=c", {"a": "b=c"}),
        ("url=http://h:1/a?b", {"url": "http://h:1/a?b"}),
        ("label=na%C3%AFve", {"label": "naïve"}),
        ("share=50%", {"share": "50%"}),
    ],
)
def test_options(text, options):
    assert parse_query_string(text, "here") == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected key=value after '?' in 'here', found ''"),
        ("body", "expected key=value after '?' in 'here', found 'body'"),
        ("=3", "found '=3'"),
        ("a=", "found 'a='"),
        ("a=1&", "found ''"),
        ("a=1&a=2", "the option 'a' is given twice in 'here'"),
        ("a=%ff", "'a=%ff' in 'here' is not UTF-8 text"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(OptionError) as caught:
        parse_query_string(text, "here")
    assert message in str(caught.value)


def test_underscores_are_hyphens_where_that_is_asked():
    assert parse_query_string("max_bytes=1", "here", hyphens=True) == {"max-bytes": "1"}
    assert parse_query_string("num_candidates=1", "here") == {"num_candidates": "1"}
    with pytest.raises(OptionError, match="'max-bytes' is given twice"):
        parse_query_string("max_bytes=1&max-bytes=2", "here", hyphens=True)


@given(st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4))
def test_what_is_written_is_read_back(options):
    written = write_query_string(options)
    assert parse_query_string(written, "here") == options
    assert "?" not in written  # the last question mark of an address is the one before the options


def test_an_unknown_option_names_those_that_exist_and_the_nearest():
    assert str(unknown_option("csv", "labell", ["text", "label"])) == (
        "csv has no option 'labell'; did you mean 'label'? Its options: label, text"
    )
    assert str(unknown_option("csv", "xyz", ["text", "label"])) == "csv has no option 'xyz'; its options: label, text"
