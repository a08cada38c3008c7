"""JSON lines, CSV, TSV and Parquet."""

import gzip
import json

import pytest

from encoders.errors import CorpusError, OptionError
from retrieval.corpora.base import unique_ids
from retrieval.corpora.registry import open_corpus

ROWS = [
    {"key": "a", "head": "Ships", "body": "They float.", "topic": "sea", "year": "1901"},
    {"key": "b", "head": "", "body": 'Ünïcode,\n"quoted"', "topic": "", "year": "1902"},
]
OPTIONS = "?text=body&title=head&label=topic&id=key"


def write_csv(path, rows, delimiter=",", encoding="utf-8"):
    import csv

    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_parquet(path, rows):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def write(path, rows):
    writers = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}
    if path.suffix == ".tsv":
        write_csv(path, rows, "\t")
    elif path.suffix == ".gz":
        plain = path.with_suffix("")
        write(plain, rows)
        path.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        writers[path.suffix](path, rows)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.jsonl.gz", "t.csv.gz"])
def test_one_meaning_in_every_format(tmp_path, name):
    path = tmp_path / name
    write(path, ROWS)
    corpus = open_corpus(f"{path}{OPTIONS}")
    for _ in range(2):  # every iter() starts over
        first, second = corpus
        assert (first.id, first.content, first.title, first.label) == ("a", "Ships\nThey float.", "Ships", "sea")
        assert first.metadata == {"year": "1901"}
        assert (second.id, second.content) == ("b", 'Ünïcode,\n"quoted"')
        assert (second.title, second.label) == (None, None)
    assert corpus.queries_are_items
    assert [query.id for query in corpus.queries()] == ["a", "b"]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_usual_names_and_row_numbers(tmp_path, name):
    path = tmp_path / name
    write(path, [{"text": "one"}, {"text": "two"}])
    assert [(item.id, item.content) for item in open_corpus(str(path))] == [("1", "one"), ("2", "two")]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_missing_column_lists_what_is_there(tmp_path, name):
    path = tmp_path / name
    write(path, ROWS)
    with pytest.raises(CorpusError, match=r"no column 'text'.*key, head, body, topic, year"):
        list(open_corpus(str(path)))
    with pytest.raises(CorpusError, match=r"no column 'heading' for title=.*key, head"):
        list(open_corpus(f"{path}?text=body&title=heading"))


def test_missing_field_of_a_json_record(tmp_path):
    path = tmp_path / "t.jsonl"
    write(path, ROWS)
    with pytest.raises(CorpusError, match=r"t\.jsonl:1: the field 'text' is missing \(fields found: key, head"):
        list(open_corpus(str(path)))


def test_dotted_and_nested_fields(tmp_path):
    path = tmp_path / "t.jsonl"
    write(path, [{"_id": 7, "text": "x", "metadata": {"category": "math.MG", "year": 1989, "tags": ["a"]}}])
    for label in ("metadata.category", "category"):
        (item,) = open_corpus(f"{path}?label={label}")
        assert (item.id, item.label) == ("7", "math.MG")
        assert item.metadata == {"category": "math.MG", "year": "1989", "tags": '["a"]'}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "cut', r"bad\.jsonl:2: not valid JSON: .* at character 10, near .*cut'$"),
        (b"[1, 2]", r"bad\.jsonl:2: expected one JSON object a line, got \[1, 2\]"),
        (b'{"text": "\\uD800 x"}', r"bad\.jsonl:2: holds half a character"),
        (b'{"text": "\xff"}', r"bad\.jsonl:2: not UTF-8 \(byte 11 of the line\)"),
        (b'{"text": 3}', r"bad\.jsonl:2: the field 'text' is 3, not a text"),
        (b'{"_id": "", "text": "x"}', r"bad\.jsonl:2: the field '_id' that should hold the id is empty"),
    ],
)
def test_broken_line_names_file_and_line_and_may_be_skipped(tmp_path, left_out, line, message):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "good"}\n' + line + b'\n\n{"text": "also good"}\n')
    with pytest.raises(CorpusError, match=message):
        list(open_corpus(str(path)))
    items = list(open_corpus(str(path), on_bad=left_out.append))
    assert [(item.id, item.content) for item in items] == [("1", "good"), ("4", "also good")]
    assert len(left_out) == 1


def test_wrong_number_of_cells(tmp_path, left_out):
    path = tmp_path / "t.csv"
    path.write_text("id,text\n1,one\n2,two,2\n\n3\n4,four\n")
    with pytest.raises(CorpusError, match=r"t\.csv:3: expected 2 cells, found 3"):
        list(open_corpus(str(path)))
    assert [item.id for item in open_corpus(str(path), on_bad=left_out.append)] == ["1", "4"]
    assert len(left_out) == 2


def test_encodings_and_delimiters(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id;text\n1;naïve\n", encoding="latin-1")
    with pytest.raises(CorpusError, match=r"t\.csv:2: the line is not utf-8: say .* as in \?encoding="):
        list(open_corpus(f"{path}?delimiter=;"))
    with pytest.raises(OptionError, match="unknown encoding 'klingon'"):
        list(open_corpus(f"{path}?encoding=klingon"))
    with pytest.raises(OptionError, match="delimiter should be one character"):
        list(open_corpus(f"{path}?delimiter=;;"))
    for options in ("encoding=latin-1&delimiter=;", "encoding=latin-1"):
        (item,) = open_corpus(f"{path}?{options}")
        assert item.content == "naïve"
    path.write_text("text\nwith a byte order mark\n", encoding="utf-8-sig")
    assert next(iter(open_corpus(str(path)))).content == "with a byte order mark"


def test_long_cells_are_read(tmp_path):
    path = tmp_path / "t.csv"
    write(path, [{"text": "word " * 50_000}])
    assert len(next(iter(open_corpus(str(path)))).content) == 250_000


@pytest.mark.parametrize(("name", "content"), [("t.jsonl", ""), ("t.csv", "id,text\n")])
def test_empty(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(CorpusError, match="holds no items"):
        list(open_corpus(str(tmp_path / name)))


def test_csv_without_head(tmp_path):
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(CorpusError, match="no line of column names"):
        list(open_corpus(str(tmp_path / "t.csv")))


def test_no_parquet(tmp_path):
    (tmp_path / "t.parquet").write_text("something else")
    with pytest.raises(CorpusError, match="not a readable Parquet file"):
        list(open_corpus(str(tmp_path / "t.parquet")))


def test_parquet_without_text_in_a_row(tmp_path, left_out):
    path = tmp_path / "t.parquet"
    write(path, [{"text": "one"}, {"text": None}, {"text": "three"}])
    assert open_corpus(str(path)).size == 3
    with pytest.raises(CorpusError, match="row 2: the field 'text' is null"):
        list(open_corpus(str(path)))
    corpus = open_corpus(str(path), on_bad=left_out.append)
    assert [item.id for item in corpus] == ["1", "3"]
    assert corpus.size is None


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.csv.gz"])
def test_cut_off_gzip(tmp_path, name):
    path = tmp_path / name
    write(path, [{"text": f"text {number * 7919 % 1009}"} for number in range(2_000)])
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CorpusError, match="is damaged or not what its name says"):
        list(open_corpus(str(path)))


def test_duplicate_ids(tmp_path, left_out):
    path = tmp_path / "t.jsonl"
    write(path, [{"id": "a", "text": "1"}, {"id": "b", "text": "2"}, {"id": "a", "text": "3"}])
    with pytest.raises(CorpusError, match=r"two items have the id 'a' \(the second is item 3\)"):
        list(unique_ids(open_corpus(str(path))))
    assert [item.content for item in unique_ids(open_corpus(str(path)), left_out.append)] == ["1", "2"]
    assert len(left_out) == 1
