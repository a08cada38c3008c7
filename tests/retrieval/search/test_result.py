"""Items as they are shown: title and snippet."""

from retrieval.corpora.base import Item
from retrieval.search.result import show


def test_a_snippet_does_not_repeat_the_title():
    text = "similarity laws for\naerothermoelastic testing .\nthe similarity laws are found"
    title = "similarity laws for aerothermoelastic testing ."
    assert show(Item("1", text, title=title)).snippet == "the similarity laws are found"
    assert show(Item("1", "heating of a plate", title="heat")).snippet == "heating of a plate"
    assert show(Item("1", text, title="other")).snippet.startswith("similarity laws for aero")
