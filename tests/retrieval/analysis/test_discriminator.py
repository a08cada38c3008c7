"""The discriminator of an analysis: which codes identify their items, in the tables and on the page."""

from __future__ import annotations

import math

import pytest

from encoders.errors import BadItemError
from encoders.registry import create
from retrieval.analysis.analyze import analyze
from retrieval.corpora.registry import open_corpus
from retrieval.report.findings import findings
from retrieval.report.html.analysis import write_analysis
from retrieval.report.terminal.analysis import analysis_json, analysis_lines

WIDE, NARROW = "pixels+pca:16", "pixels+pca:1"


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def analysis():
    encoders = [create(WIDE), create(NARROW)]
    return analyze(open_corpus("digits"), encoders, quiet, ["discriminator"], sample=400)


def test_codes_with_more_components_identify_their_items_better(analysis):
    wide, narrow = (space.discriminator for space in analysis.spaces)
    assert wide.loss < narrow.loss < wide.shuffled == pytest.approx(math.log(2), abs=0.1)
    assert wide.nats > narrow.nats


def test_tables_page_and_json_show_it(analysis, tmp_path):
    lines = "\n".join(analysis_lines(analysis))
    assert "discriminator loss" in lines
    assert any(f"{WIDE} identify their items best" in sentence for sentence in findings(analysis))
    assert analysis_json(analysis)["spaces"][0]["discriminator"]["loss"] == analysis.spaces[0].discriminator.loss
    page = write_analysis(analysis, tmp_path).read_text()
    assert "Which codes identify their items?" in page
    assert f"{analysis.spaces[0].discriminator.loss:.3f}" in page


def test_few_items_are_noted_beside_other_parts():
    found = analyze(open_corpus("digits"), [create(NARROW)], quiet, ["components", "discriminator"], sample=40)
    assert found.notes == ["no discriminator was trained on 40 items: it needs at least 64"]
    assert found.spaces[0].discriminator is None


def test_few_items_are_refused_before_any_fit_where_nothing_else_is_asked():
    encoder = create(NARROW)
    with pytest.raises(BadItemError, match="at least 64 items: raise --sample 40"):
        analyze(open_corpus("digits"), [encoder], quiet, ["discriminator"], sample=40)
    assert not encoder.__sklearn_is_fitted__()
