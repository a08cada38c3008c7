"""Tables whose rows are the items: one meaning in every format, chosen columns, missing values, named tables."""

import csv
import gzip
import io
import json
import subprocess
import sys

import pytest

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError
from encoders.registry import create
from encoders.row import Row
from retrieval.collection.item_draft import ItemDraft
from retrieval.corpora.item_record import item_digest, item_of, record_of
from retrieval.corpora.registry import open_corpus

ROWS = [
    {"id": "a", "amount": "1.0E7", "type": "CASH_OUT", "zip": "01067", "label": "fraud", "note": "x"},
    {"id": "b", "amount": "-12", "type": "", "zip": "10115", "label": "", "note": ""},
]
NAMES = ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.jsonl.gz", "t.csv.gz"]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path, rows):
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def write(path, rows):
    """Write rows in the format of a name, which may be gzipped."""
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        write_parquet(path, rows)
        return
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if kind != "jsonl":
        held = io.StringIO()
        writer = csv.DictWriter(held, list(rows[0]), delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
        text = held.getvalue()
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def read(path, options):
    return list(open_corpus(f"{path}?{options}"))


@pytest.mark.parametrize("name", NAMES)
def test_one_meaning_in_every_format(tmp_path, name):
    write(tmp_path / name, ROWS)
    corpus = open_corpus(f"{tmp_path / name}?columns=*&without=note")
    assert corpus.modality is Modality.ROW
    for _ in range(2):  # every iter() starts over
        first, second = corpus
        assert (first.id, first.label, first.metadata) == ("a", "fraud", {"note": "x"})
        assert first.content == Row(("amount", "type", "zip"), ("1.0E7", "CASH_OUT", "01067"))
        assert (second.id, second.label, second.metadata) == ("b", None, {})
        assert second.content.values == (-12.0, None, 10115.0)
        assert first.content.names is second.content.names
    assert [item.content for item in corpus.queries()] == [first.content, second.content]


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet"])
def test_typed_values(tmp_path, name):
    rows = [{"n": 3, "f": 2.5, "b": True, "gone": None, "big": 2**60}, {"n": -1, "f": float("nan"), "b": False, "gone": None, "big": 1}]  # fmt: skip
    write(tmp_path / name, rows)
    first, second = (item.content for item in read(tmp_path / name, "columns=*"))
    assert first.values == (3.0, 2.5, "true", None, str(2**60))
    assert second.values == (-1.0, None, "false", None, 1.0)


def test_dates_bytes_and_nested_columns_of_parquet(tmp_path):
    import datetime
    import decimal

    rows = [{"d": datetime.date(2026, 1, 2), "t": datetime.datetime(2026, 1, 2, 3, 4), "x": decimal.Decimal("1.5"), "s": {"a": 1, "b": {"c": "z"}}, "l": [1, 2]}]  # fmt: skip
    write_parquet(tmp_path / "t.parquet", rows)
    (item,) = read(tmp_path / "t.parquet", "columns=*")
    assert item.content.names == ("d", "t", "x", "s.a", "s.b.c", "l")
    assert item.content.values == ("2026-01-02", "2026-01-02T03:04:00", 1.5, 1.0, "z", "[1, 2]")


def test_json_lines_with_fields_that_come_later(tmp_path):
    write_jsonl(tmp_path / "t.jsonl", [{"a": 1}, {"b": {"c": 2}}, {"a": float("nan"), "b": {"c": None}}])
    rows = [item.content for item in read(tmp_path / "t.jsonl", "columns=*")]
    assert rows[0].names == ("a", "b.c")
    assert [row.values for row in rows] == [(1.0, None), (None, 2.0), (None, None)]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_infinite_numbers_are_texts_in_every_format_and_said(tmp_path, name, capsys):
    column = f"a_{name[2:]}"  # a line is said once
    values = [*map(float, range(98)), float("inf"), -float("inf")]
    write(tmp_path / name, [{column: value, "b": 1.0} for value in values])
    items = [item.content for item in read(tmp_path / name, "columns=*")]
    assert [row[column] for row in items[98:]] == ["inf", "-inf"]
    create("columns").fit(items)
    assert f"{column}: 2 of 100 values are not numbers, such as 'inf', and count as missing" in capsys.readouterr().err


@pytest.mark.parametrize("cell", ["", "NA", "N/A", "n/a", "nan", "NaN", "NULL", "null", "?", "<NA>", " "])
def test_missing_cells(tmp_path, cell):
    (tmp_path / "t.csv").write_text(f"a,b\n1,{cell}\n")
    assert read(tmp_path / "t.csv", "columns=*")[0].content.values == (1.0, None)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1.5", 1.5), ("-12", -12.0), ("1e-07", 1e-7), ("0", 0.0), ("1.0E7", "1.0E7"), ("-.5", "-.5"), ("5.", "5."), ("+3", "+3"),
     ("1.10", "1.10"), ("1.234", "1.234"), ("0.234", 0.234), ("0.30000000000000004", 0.1 + 0.2), ("-0", "-0"), ("007", "007"), ("1_000", "1_000"),
     ("inf", "inf"), ("1e999", "1e999"), ("0x10", "0x10"), ("１", "１"), ("1" * 16, "1" * 16), ("12,5", "12,5"), (" x ", "x")],
)  # fmt: skip
def test_numbers_and_texts(tmp_path, cell, value):
    (tmp_path / "t.csv").write_text(f'a,b\n1,"{cell}"\n')
    assert read(tmp_path / "t.csv", "columns=*")[0].content.values == (1.0, value)


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_columns_are_chosen(tmp_path, name):
    write(tmp_path / name, ROWS)
    path = tmp_path / name
    item = read(path, "columns=zip,amount&label=type&id=note" if name == "t.none" else "columns=zip,amount&label=type")[
        0
    ]
    assert item.content == Row(("zip", "amount"), ("01067", "1.0E7"))
    assert (item.label, item.metadata) == ("CASH_OUT", {"label": "fraud", "note": "x"})
    assert read(path, "columns=label,amount")[0].label is None  # it is a column of the row
    for options, message in (
        ("columns=amont", r"no column 'amont' for columns=; did you mean 'amount'\? its columns: id, amount, type"),
        ("without=x", "no column 'x' for without="),
        ("columns=*&label=classs", "no column 'classs' for label="),
        ("columns=*&id=key", "no column 'key' for id="),
        ("columns=amount&without=amount", "has no column left for its rows"),
    ):
        with pytest.raises(CorpusError, match=message):
            read(path, options)
    with pytest.raises(OptionError, match="has no option 'text'"):
        read(path, "columns=*&text=note")


def test_a_table_without_texts_proposes_its_columns(tmp_path):
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        write(tmp_path / name, [{"amount": "1", "type": "x"}])
        with pytest.raises(CorpusError, match=r"\?columns=\*"):
            list(open_corpus(str(tmp_path / name)))


def test_ratings_can_be_read_as_rows(tmp_path):
    (tmp_path / "r.csv").write_text("user,item,rating\nu,i,3\n")
    assert read(tmp_path / "r.csv", "columns=*")[0].content == Row(("user", "item", "rating"), ("u", "i", 3.0))


def test_bad_rows_and_heads(tmp_path, left_out):
    path = tmp_path / "t.csv"
    path.write_text("a;b;;b\n1;2;3;4\n")
    with pytest.raises(CorpusError, match="several columns 'b'"):
        read(path, "columns=*")
    path.write_text("a;b;\n1;2;3\n1;2\n4;5;6\n")
    with pytest.raises(CorpusError, match=r"t.csv:3: expected 3 cells, found 2"):
        read(path, "columns=*")
    items = list(open_corpus(f"{path}?columns=*", on_bad=left_out.append))
    assert [item.id for item in items] == ["1", "3"]
    assert items[0].content.names == ("a", "b", "column 3")
    path.write_text("a,b\n")
    with pytest.raises(CorpusError, match="holds no items"):
        read(path, "columns=*")
    path.write_text("")
    with pytest.raises(CorpusError, match="no line of column names"):
        read(path, "columns=*")


def test_rows_are_stored_and_come_back(tmp_path):
    write(tmp_path / "t.csv", ROWS)
    corpus = open_corpus(f"{tmp_path / 't.csv'}?columns=*")
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus)
    again, items = list(store), list(corpus)
    assert [item.content for item in again] == [item.content for item in items]
    assert again[0].content.names is again[1].content.names  # shared
    assert [item_digest(item) for item in again] == [item_digest(item) for item in items]
    store.close()


def test_a_damaged_record_of_a_row_is_refused():
    _, content, shape, *rest = record_of(next(iter(open_corpus("breast-cancer"))), Modality.ROW)
    names = json.loads(shape)[1:]
    assert item_of(("0", content, shape, *rest)).content.names == tuple(names)
    bad = [b"[]", b"{}", content[:-5], content.replace(b"[", b"[[1],", 1), b"[" + b"1," * 29 + b"1]", b"[" + b"1e999," * 29 + b"1.0]"]  # fmt: skip
    for values in bad:
        with pytest.raises((TypeError, ValueError)):
            item_of(("0", values, shape, *rest))
    for other in ('["row"]', '["row",1]', '["rowing"]', '["row"', json.dumps(["row", *names[1:], 5])):
        with pytest.raises((TypeError, ValueError)):
            item_of(("0", content, other, *rest))


def test_digests_tell_names_values_and_types_apart():
    from retrieval.corpora.base import Item

    rows = [Row(("a", "b"), (1.0, None)), Row(("a", "c"), (1.0, None)), Row(("a", "b"), ("1.0", None)), Row(("a", "b"), (None, 1.0))]  # fmt: skip
    assert len({item_digest(Item("1", row)) for row in rows}) == 4


def test_breast_cancer():
    from sklearn.datasets import load_breast_cancer

    corpus, bunch = open_corpus("breast-cancer"), load_breast_cancer()
    items = list(corpus)
    assert len(items) == corpus.size == 569
    assert items[0].content["mean radius"] == bunch.data[0, 0]
    assert [item.label == "malignant" for item in items] == (bunch.target == 0).tolist()


def test_kddcup99(real_data):
    real_data("kddcup99")
    corpus = open_corpus("kddcup99")
    labels: dict[str, int] = {}
    for item in corpus:
        labels[item.label] = labels.get(item.label, 0) + 1
    assert (sum(labels.values()), len(labels)) == (494_021, 23)
    assert (labels["normal"], labels["smurf"], labels["spy"]) == (97_278, 280_790, 2)
    first = next(iter(corpus)).content
    assert (len(first.names), first["service"], first["src_bytes"], first["dst_host_same_src_port_rate"]) == (41, "http", 181.0, 0.11)  # fmt: skip


def test_paysim(real_data):
    real_data("paysim")
    corpus = open_corpus("paysim")
    fraud = trivial = large = count = 0
    for item in corpus:
        count += 1
        row = item.content
        fraud += item.label == "1"
        trivial += item.label == "1" and row["amount"] == row["oldbalanceOrg"]
        large += str(row["amount"]).endswith("E7")
    assert (count, fraud) == (508_961, 661)
    assert trivial / fraud > 0.9
    assert large > 0
    assert next(iter(corpus)).metadata == {}
    assert next(iter(open_corpus("paysim?balances=no"))).content.names == ("step", "type", "amount")
    assert "nameOrig" in next(iter(open_corpus("paysim?without=none"))).content.names


def test_a_long_table_is_never_in_memory(tmp_path):
    with (tmp_path / "t.csv").open("w") as file:
        file.write("a,b,c\n")
        file.writelines(f"{n},{n * 7 % 1000},word{n}\n" for n in range(300_000))
    program = (
        "import resource, sys; from retrieval.corpora.registry import open_corpus\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "corpus = open_corpus(sys.argv[1]); next(iter(corpus)); before = peak()\n"
        "print(sum(1 for _ in corpus), (peak() - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program, f"{tmp_path / 't.csv'}?columns=*"], capture_output=True, text=True, check=True)  # fmt: skip
    count, grown = map(int, done.stdout.split())
    assert count == 300_000
    assert grown < 100  # MB; the rows as Python objects take more than 100 MB
