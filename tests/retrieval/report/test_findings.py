"""The results of an analysis in sentences: the main one first."""

from dataclasses import replace

from retrieval.analysis.cluster_count import READING
from retrieval.report.findings import answer, dimension_title, findings
from retrieval.report.html.analysis import write_analysis


def test_the_main_result_is_one_short_sentence(analysed_pictures, analysed_texts):
    assert answer(analysed_pictures) == "3 clusters are recommended; the items have 3 different labels."
    assert answer(analysed_texts) == "3 clusters are recommended."


def test_without_a_tree_the_main_sentence_names_the_parts_that_were_asked_for(analysed_texts):
    spaces = [replace(one, components=None, sums=[], quality={}) for one in analysed_texts.spaces]
    some = replace(analysed_texts, counts=None, spaces=spaces, lost={}, local=None)
    assert answer(some) == "2 spaces of papers: maps."
    none = replace(some, spaces=[replace(one, maps={}) for one in spaces])
    assert answer(none) == "2 spaces of papers."


def test_every_other_part_has_a_sentence(analysed_pictures, tmp_path):
    found = findings(analysed_pictures)
    assert found[:4] == [
        "Silhouette, Davies-Bouldin, gap, BIC and largest jump agree.",
        "The clusters of pixels+pca:4 (k-means) agree best with the labels: NMI 0.500.",
        "With 8 numbers, pca loses least: 25.0% of the variance.",
        "The code of pixels+pca:4 reaches P@10 0.750; the number of one of 3 clusters reaches 0.500.",
    ]
    assert found[4].startswith("pixels+vae:64-2: Both components are in use")
    assert len(READING) == 5
    text = write_analysis(analysed_pictures, tmp_path).read_text()
    places = [text.index(part) for part in [answer(analysed_pictures), *found, "<nav", "<table", "<svg", 'id="method"']]
    assert places == sorted(places)  # the answer, the table, the pictures, how it was made


def test_a_method_without_a_result_does_not_lose_least(analysed_texts):
    lost = {"pca": [0.5, float("nan")], "nmf": [0.6, 0.4]}
    assert dimension_title(replace(analysed_texts, lost=lost)).startswith("With 8 numbers, nmf loses least")
    assert dimension_title(replace(analysed_texts, lost={"pca": [float("nan")]})) == ""
