"""What stands over a number is what the number is: distances and scores, sums and means, codes and files."""

import re
from dataclasses import replace

import pytest

from encoders.codes import Metric
from retrieval.report.figure_titles import cost_title, overlap_sentence
from retrieval.report.figures.precision_recall import quality_cost_svg
from retrieval.report.figures.training_loss import loss_svg
from retrieval.report.html.comparison import page
from retrieval.report.json import to_json
from retrieval.report.terminal.listing import answers_json, answers_lines
from retrieval.search.query import Query
from retrieval.search.result import distance_of
from retrieval.search.searcher import SpaceAnswers
from retrieval.spaces.training_history import Phase, measures_of

SCORED, FAR = "its score (larger is better)", "its distance in the metric of the space"


def with_metrics(comparison, metrics):
    spaces = [replace(space, metric=metric) for space, metric in zip(comparison.spaces, metrics, strict=True)]
    scored = [
        [[replace(hit, distance=distance_of(hit.score, Metric(space.metric))) for hit in hits] for hits, space in
         zip(example.answers, spaces, strict=True)] for example in comparison.examples
    ]  # fmt: skip
    examples = [replace(example, answers=answers) for example, answers in zip(comparison.examples, scored, strict=True)]
    return replace(comparison, spaces=spaces, examples=examples)


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        (("euclidean", "cosine", "hamming"), f"Under each answer: {FAR}, and its label"),
        (("dot", "dot", "dot"), f"Under each answer: {SCORED}, and its label"),
        (("cosine", "dot", "hamming"), f"Under each answer: {FAR} or, where that is an inner product, {SCORED}"),
    ],
)
def test_under_each_answer_stands_what_is_said(pictures, metrics, told):
    section = page([with_metrics(pictures, metrics)])
    assert told in section
    assert ("score (inner product)" in section) == ("dot" in metrics)


@pytest.mark.parametrize("metric", list(Metric))
def test_a_score_is_not_called_a_distance_in_json(pictures, metric):
    comparison = with_metrics(pictures, [str(metric)] * 3)
    hit = to_json(comparison)["examples"][0]["answers"][0]["hits"][0]
    found = [SpaceAnswers("x", "x", str(metric), comparison.examples[0].answers[0], 1.0)]
    query = Query("", comparison.examples[0].query)
    for told in (hit, answers_json(query, found)["spaces"][0]["hits"][0]):
        assert (told["distance"] is None) == (metric is Metric.DOT)
        assert told["score"] is not None
    head = {"cosine": "1 - cosine", "euclidean": "distance", "dot": "score", "hamming": "bits that differ"}[metric]
    assert any(head in line for line in answers_lines(query, found))


def test_the_number_of_neighbours_stands_where_overlap_is_shown(compare):
    few = compare()
    few = replace(few, overlaps=[replace(pair, k=4) for pair in few.overlaps])
    for told in (page([few]), overlap_sentence(few)):
        assert "Jaccard@4" in told
        assert "Jaccard@10" not in told
    assert {pair["k"] for pair in to_json(few)["overlaps"]} == {4}


def axis_text(drawn):
    """All text of a figure; a long name of an axis is broken into lines."""
    return " ".join(re.findall(r"<text[^>]*>([^<]*)", drawn))


def test_bytes_on_disk_are_called_so_and_codes_otherwise(compare, three):
    assert "bytes on disk per item (log)" in axis_text(quality_cost_svg(compare()))
    served = compare([replace(space, bytes_on_disk_per_item=None) for space in three])
    assert "bytes of the codes per item (log)" in axis_text(quality_cost_svg(served))
    told = to_json(compare())["spaces"][1]
    assert (told["code_bytes_per_item"], told["bytes_on_disk_per_item"]) == (120, 392)
    assert "stores 3.6% of the bytes" in cost_title(compare())  # 14 of 392 on disk, where the codes are 2 of 120


def test_what_a_boltzmann_machine_goes_down_is_not_drawn_beside_its_error():
    machine = Phase("deep-ae, layer 1", [0.3, -0.2], [5.0, 4.0], 1.0, 1, "difference of free energies",
                    "squared error per item")  # fmt: skip
    drawn = str(loss_svg(machine, "deep-ae:2", 0, "x"))
    assert ">squared error per item<" in drawn
    assert ">training" not in drawn
    assert ">validation 4<" in drawn
    assert "training difference of free energies from 0.3 to -0.2" in drawn
    assert ">training 0.3<" in str(loss_svg(replace(machine, train_loss=[0.4, 0.3], train_measure="squared error per item"), "x", 0, "x"))  # fmt: skip


def test_measures_of_phases():
    from encoders.registry import create

    rbm = create("deep-ae:8-2,pretrain=rbm,activation=sigmoid,norm=none")
    assert measures_of(rbm, "layer-1") == ("difference of free energies", "squared error per item")
    assert measures_of(rbm, "training") == ("loss", "loss")
    assert measures_of(create("deep-ae:8-2,pretrain=layerwise"), "layer-1") == ("loss", "loss")
