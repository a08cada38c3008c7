"""Null, NaN and infinite numbers mean "no value", bytes are texts: the same in JSON, Parquet, CSV and .npz."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoders.errors import CorpusError
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare

NAN, INF = float("nan"), float("inf")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet"])
@pytest.mark.parametrize("nothing", [None, NAN, INF, -INF])
def test_no_value_is_no_title_label_or_metadata(tmp_path: Path, name: str, nothing: float | None) -> None:
    rows = [
        {"_id": "a", "text": "red kite", "title": nothing, "label": nothing, "year": nothing},
        {"_id": "b", "text": "green boat", "title": 1.5, "label": 2.0, "year": 3.0},
    ]
    first, second = open_corpus(str(write(tmp_path / name, rows)))
    assert (first.content, first.title, first.label, first.metadata) == ("red kite", None, None, {})
    assert (second.content, second.title, second.label) == ("1.5\ngreen boat", "1.5", "2.0")
    assert second.metadata == {"year": "3.0"}


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet"])
@pytest.mark.parametrize(("nothing", "said"), [(None, "is null"), (NAN, "is nan, no value"), (INF, "is inf, no value")])
def test_no_value_is_no_id(tmp_path: Path, left_out: list, name: str, nothing: float | None, said: str) -> None:
    path = write(tmp_path / name, [{"_id": 1.0, "text": "one"}, {"_id": nothing, "text": "two"}])
    with pytest.raises(CorpusError, match=rf"{name}:( row )?2: the field '_id' that should hold the id {said}"):
        list(open_corpus(str(path)))
    assert [item.id for item in open_corpus(str(path), on_bad=left_out.append)] == ["1.0"]
    assert len(left_out) == 1


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet"])
@pytest.mark.parametrize(("nothing", "said"), [(None, "is null"), (NAN, "is nan, no value")])
def test_no_value_is_no_text(tmp_path: Path, name: str, nothing: float | None, said: str) -> None:
    path = write(tmp_path / name, [{"_id": "a", "text": nothing}])
    with pytest.raises(CorpusError, match=rf"{name}:( row )?1: the field 'text' {said}") as raised:
        list(open_corpus(str(path)))
    assert "missing" not in str(raised.value)
    assert "fields found" not in str(raised.value)


def test_nothing_within_lists_and_objects_is_null(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", [{"text": "x", "tags": ["a", NAN, {"b": INF}]}])
    (item,) = open_corpus(str(path))
    assert item.metadata == {"tags": '["a", null, {"b": null}]'}


def test_bytes_are_read_as_utf8(tmp_path: Path, left_out: list) -> None:
    row = {"_id": b"a", "text": "naïve".encode(), "title": b"t", "label": b"rail", "tags": [b"x"]}
    path = write(tmp_path / "t.parquet", [row, {**row, "_id": b"b", "label": b"\xff"}])
    item, *others = open_corpus(str(path), on_bad=left_out.append)
    assert (item.id, item.content, item.title, item.label) == ("a", "t\nnaïve", "t", "rail")
    assert item.metadata == {"tags": '["x"]'}
    assert others == []
    assert "row 2: the field 'label' holds bytes that are not UTF-8: b'\\xff'" in str(left_out[0])


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (np.array([1.0, NAN, INF]), ["1.0", None, None]),
        (np.array([0.1, NAN, 2], np.float32), ["0.1", None, "2.0"]),
        (np.array([b"rail", "n\u00e4".encode(), b""]), ["rail", "nä", None]),
        (np.array(["rail", "sea", ""]), ["rail", "sea", None]),
        (np.array([True, False, True]), ["true", "false", "true"]),
        (np.array([3, 4, 5], np.uint8), ["3", "4", "5"]),
        (np.array(["2020-01-02", "NaT", "2020-01-03"], "M8[D]"), ["2020-01-02", None, "2020-01-03"]),
    ],
)
def test_arrays_of_labels(tmp_path: Path, left_out: list, labels: np.ndarray, read: list[str | None]) -> None:
    np.savez(tmp_path / "v.npz", codes=np.eye(3), labels=labels)
    assert [item.label for item in open_corpus(str(tmp_path / "v.npz"))] == read
    np.savez(tmp_path / "v.npz", codes=np.eye(3), ids=labels)
    items = list(open_corpus(str(tmp_path / "v.npz"), on_bad=left_out.append))
    assert [item.id for item in items] == [name for name in read if name]
    assert len(left_out) == read.count(None)
    assert all("has no id: 'ids' is empty in that row" in str(error) for error in left_out)


@pytest.mark.parametrize(
    ("labels", "said"),
    [(np.array([b"\xff", b"a", b"b"]), "bytes that are not UTF-8"), (np.ones(3, complex), "neither")],
)
def test_arrays_that_are_no_labels(tmp_path: Path, labels: np.ndarray, said: str) -> None:
    np.savez(tmp_path / "v.npz", codes=np.eye(3), labels=labels)
    with pytest.raises(CorpusError, match=rf"v\.npz: .*{said}"):
        list(open_corpus(str(tmp_path / "v.npz")))


def test_a_label_is_the_same_text_in_every_format(tmp_path: Path) -> None:
    """1.0, true and a date are written alike, wherever they come from."""
    for value, text in ((1.0, "1.0"), (7, "7"), (True, "true"), ("rail", "rail")):
        read = []
        for name in ("t.jsonl", "t.parquet"):
            (item,) = open_corpus(str(write(tmp_path / name, [{"text": "x", "label": value}])))
            read.append(item.label)
        np.savez(tmp_path / "v.npz", codes=np.eye(1), labels=np.array([value]))
        read += [item.label for item in open_corpus(str(tmp_path / "v.npz"))]
        assert read == [text] * 3
    (item,) = open_corpus(str(write(tmp_path / "t.parquet", [{"text": "x", "label": datetime.date(2020, 1, 2)}])))
    assert item.label == "2020-01-02"


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet", "t.csv"])
def test_a_field_for_the_label_that_no_record_has_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "t.csv":
        path.write_text("text,topic\nx,rail\n")
    else:
        write(path, [{"text": "x", "topic": "rail"}])
    with pytest.raises(CorpusError, match=r"no (record has a field|column) 'topik' for label=; did you mean 'topic'\?"):
        list(open_corpus(f"{path}?label=topik"))
    assert [item.label for item in open_corpus(f"{path}?label=topic")] == ["rail"]


def test_a_field_is_missing_where_it_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", [{"txt": "x", "a": 1}])
    with pytest.raises(CorpusError, match=r"'text' is missing \(fields found: txt, a; did you mean 'txt'\?\)"):
        list(open_corpus(str(path)))


def test_parts_of_nested_columns_are_named_in_parquet_as_in_json(tmp_path: Path) -> None:
    for name in ("t.jsonl", "t.parquet"):
        path = write(tmp_path / name, [{"text": "x", "metadata": {"category": "rail"}, "about": {"title": "T"}}])
        for label in ("metadata.category", "category"):
            (item,) = open_corpus(f"{path}?label={label}&title=about.title")
            assert (item.label, item.title) == ("rail", "T")


def test_an_id_column_that_is_not_the_id_is_kept(tmp_path: Path) -> None:
    (item,) = open_corpus(f"{write(tmp_path / 't.jsonl', [{'text': 'x', 'id': 3, 'key': 'k'}])}?id=key")
    assert (item.id, item.metadata) == ("k", {"id": "3"})


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "t.csv":
        path.write_text("text,text\nx,y\n")
    else:
        import pyarrow
        import pyarrow.parquet

        columns = [pyarrow.array(["x"]), pyarrow.array(["y"])]
        pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, names=["text", "text"]), path)
    with pytest.raises(CorpusError, match="has several columns 'text'"):
        list(open_corpus(str(path)))


def test_deep_metadata_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for depth in (400, 990, 5000):
        path.write_text('{"text": "x", "a": ' + "[" * depth + "]" * depth + "}\n")
        try:
            list(open_corpus(str(path)))
        except CorpusError as error:
            assert "t.jsonl:1: " in str(error)  # noqa: PT017  either is right, a RecursionError is not


def test_a_comparison_is_the_same_with_nan_as_with_null(tmp_path: Path) -> None:
    """Items without a label ask nothing, and the word "nan" is in no text; "at" is a stop word of the usual analysis."""
    texts = {"a": "red kite over hill", "b": "green boat in dock", "c": "blue train at night", "d": "slow tram at dawn"}
    for nothing in (None, NAN):
        titles = {"c": "Trains", "d": "Trams"}
        rows = [
            {"_id": id, "title": titles.get(id, nothing), "text": text, "label": "rail" if id in titles else nothing}
            for id, text in texts.items()
        ]
        path = write(tmp_path / "t.jsonl", rows)
        comparison = compare(open_corpus(str(path)), ["bm25", "bm25:stop=none"], examples=0)
        assert comparison.n_queries == 2
        assert [space.measures["P@10"] for space in comparison.spaces] == [0.0, pytest.approx(0.1)]
