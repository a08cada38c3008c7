"""comparison.json and per_query.parquet: they hold the numbers, and the schema would notice a fault."""

from __future__ import annotations

import json

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from pyarrow import parquet

from encoders.errors import MissingLibraryError, OptionError
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.per_query import per_query_table
from retrieval.report.comparison_file import comparison_document, schema, write_machine_files
from retrieval.report.notebook import Comparison
from retrieval.report.notebook import compare as compare_in_python


def test_the_schema_is_one_and_every_field_is_described():
    Draft202012Validator.check_schema(schema())

    def undescribed(node, path=""):
        for name, field in node.get("properties", {}).items():
            if "description" not in field:
                yield f"{path}{name}"
            yield from undescribed(field, f"{path}{name}.")
            for inside in ("items", "additionalProperties"):
                yield from undescribed(field.get(inside) or {}, f"{path}{name}[].")

    assert list(undescribed(schema())) == []


def test_every_field_that_is_written_is_in_the_schema(compare, pictures, three):
    for comparison in (compare(), pictures, compare([])):
        document = json.loads(json.dumps(comparison_document(comparison)))
        Draft202012Validator(schema()).validate(document)
        assert list(undescribed_fields(document, schema())) == [], "describe them in comparison.schema.json"


def test_fields_of_every_option_are_in_the_schema(tmp_path):
    """Losses, fusion, equal bytes and health were objects of which the schema said nothing."""
    labels = np.repeat(list("abc"), 20)
    rows = np.random.default_rng(0).normal(size=(60, 6)) + 1.5 * np.eye(3, 6).repeat(20, axis=0)
    np.savez(tmp_path / "v.npz", vectors=rows.astype(np.float32), labels=labels)
    corpus, specs = open_corpus(str(tmp_path / "v.npz")), ["vectors", "vectors+pca:2"]
    options = CompareOptions(fusion=True, budgets=(1, 4), health=True)
    everything = compare_in_python(corpus, specs, options=options)
    lossy = compare_in_python(corpus, specs, ["exact", "faiss:SQ8"])
    for found in (everything, lossy):
        document = json.loads(json.dumps(comparison_document(found)))
        Draft202012Validator(schema()).validate(document)
        assert list(undescribed_fields(document, schema())) == []
    assert any(space["loss"] for space in document["spaces"])
    document = comparison_document(everything)
    for name in ("fusion", "byte_budgets", "health"):
        assert document[name].keys() == schema()["properties"][name]["properties"].keys()


def undescribed_fields(value, node, path=""):
    """Give the fields of a document of which the schema says nothing, wherever it names any field of their object."""
    if isinstance(value, list):
        for one in value:
            yield from undescribed_fields(one, node.get("items", {}), f"{path}[]")
    if isinstance(value, dict):
        named, rest = node.get("properties", {}), node.get("additionalProperties", {})
        for name, one in value.items():
            if name in named:
                yield from undescribed_fields(one, named[name], f"{path}.{name}")
            elif rest:
                yield from undescribed_fields(one, rest, f"{path}.*")
            elif named:
                yield f"{path}.{name}"


@pytest.mark.parametrize(
    "fault",
    [
        {"schema_version": 2},
        {"spaces": [{"label": "x"}]},
        {"queries": [1]},
        {"n_items": "3"},
        {"significance": {"P@10": {}}},
    ],
)
def test_the_schema_finds_a_fault(compare, fault):
    document = {**comparison_document(compare()), **fault}
    assert not Draft202012Validator(schema()).is_valid(document)


def test_several_comparisons_have_a_folder_each(tmp_path, compare):
    said = write_machine_files([compare(), compare()], tmp_path)
    assert len(said) == 2
    assert (tmp_path / "digits" / "comparison.json").exists()


def test_the_parquet_file_has_the_values_of_the_table(tmp_path, compare):
    comparison = compare()
    write_machine_files([comparison], tmp_path)
    table = parquet.read_table(tmp_path / "per_query.parquet")
    assert table.schema.names == ["query_id", "space", "measure", "value"]
    assert table.num_rows == 3 * 2 * 50
    frame = table.to_pandas()
    for space in comparison.spaces:
        for measure, values in space.per_query.items():
            chosen = frame[(frame.space == space.label) & (frame.measure == measure)]
            np.testing.assert_array_equal(chosen.value, values)
            assert list(chosen.query_id) == [str(n) for n in range(50)]


def test_no_space_is_no_row(compare):
    assert per_query_table(compare([])).num_rows == 0


@pytest.fixture(scope="module")
def found():
    return compare_in_python(open_corpus("digits"), ["pixels", "pixels+pca:4"], examples=0)


def test_a_frame_has_the_numbers_of_the_table(found):
    frame = found.to_frame()
    assert list(frame.index) == ["pixels", "pixels+pca:4"]
    assert frame.loc["pixels", "P@10"] == found.spaces[0].measures["P@10"]
    assert frame.loc["pixels+pca:4", "dim"] == 4


def test_without_pandas_the_error_names_the_extra(found, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'nearby-spaces\[notebook\]'"):
        found.to_frame()


def test_a_notebook_shows_the_answer_the_table_and_drawings(found, tmp_path):
    shown = found._repr_html_()
    assert "pixels is best on P@10" in shown
    assert shown.count("<tr>") == 3
    assert "<script" not in shown
    assert found.plot_measures()._repr_html_().count("<svg") == 1
    assert found.plot_precision_recall().svg.startswith("<svg")
    drawing = found.plot_queries("pixels", "pixels+pca:4")
    assert "queries, pixels+pca:4 on " in drawing.svg
    assert drawing.save(tmp_path / "q.svg").read_text() == drawing.svg
    with pytest.raises(OptionError, match="no space 'pixel' in this comparison: choose pixels or"):
        found.plot_queries("pixel", "pixels")
    with pytest.raises(OptionError, match="no measure 'AP' for both spaces: choose P@10"):
        found.plot_queries("pixels", "pixels+pca:4", "AP")


def test_a_notebook_says_what_was_left_out_and_what_chance_would_give(found, compare):
    assert "For comparison, a random order of the items has P@10 0.100" in found._repr_html_()
    left_out = Comparison.of(compare(notes=["3 queries are left out: no label."]))
    assert "3 queries are left out: no label." in left_out._repr_html_()


def test_a_console_shows_the_answer_and_not_the_values_of_every_query(found):
    """It was two million letters."""
    assert repr(found).startswith("<Comparison on digits: pixels is best on P@10")
    assert len(repr(found)) < 1000


def test_text_of_a_comparison_is_escaped_in_a_notebook(documents, compare):
    evil = Comparison.of(compare(notes=["<script>"]))
    assert "<script" not in Comparison.of(documents)._repr_html_() + evil._repr_html_()


def test_nothing_measured_is_one_sentence(compare):
    with pytest.raises(OptionError, match="nothing to draw: No space of digits could be measured"):
        Comparison.of(compare([])).plot_measures()
