"""A row is a query: by its id, or as a JSON object."""

import pytest

from encoders.errors import DimensionError, NearbyError, QueryError
from encoders.row import Row
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_addition, open_collection
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.search.searcher import Searcher, read_query

ROWS = "".join(f"{n},{['CASH_OUT', 'PAYMENT'][n % 2]},2026-01-{n + 1:02d}\n" for n in range(20))


@pytest.fixture
def collection(tmp_path):
    (tmp_path / "t.csv").write_text(f"amount,type,when\n{ROWS}")
    LocalCollection.create(tmp_path / "c", open_corpus(f"{tmp_path / 't.csv'}?columns=*")).add_space("columns")
    return open_collection(tmp_path / "c")


def test_a_json_object_finds_its_row(collection, capsys):
    query = read_query(collection, '{"type": "PAYMENT", "amount": 7, "when": "2026-01-08"}')
    assert query.content == Row(("amount", "type", "when"), (7.0, "PAYMENT", "2026-01-08"))
    (found,) = Searcher(collection).search(query, 3)
    assert found.answers[0].shown.id == "8"
    assert found.answers[0].distance == 0
    assert found.answers[0].shown.title == "amount=7, type=PAYMENT, when=2026-01-08"
    assert capsys.readouterr().err == ""


def test_an_id_finds_others(collection):
    query = read_query(collection, "@8")
    assert query.item_id == "8"
    assert "8" not in [answer.shown.id for answer in Searcher(collection).search(query, 3)[0].answers]


def test_a_column_that_is_not_there_is_missing_and_said(collection, capsys):
    query = read_query(collection, '{"amount": "7"}')
    assert query.content.values == (7.0, None, None)
    assert capsys.readouterr().err == "the query has no value for type, when: missing\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("some words", "the query is no row of a table"), ("[1, 2]", "the query is no row of a table: give a JSON object"),
        ("{}", "the query is no row"), ('{"amont": 1}', "did you mean 'amount'"), ("@99", "holds no item '99'"), ("", "no row"),
        ("[" * 10_000, "nested too deep"), ('{"amount": 1e999}', "the value of 'amount' is infinite"),
        ('{"amount": -Infinity}', "the value of 'amount' is infinite"),
    ],
)  # fmt: skip
def test_what_is_no_row_is_refused_in_one_sentence(collection, text, message):
    with pytest.raises(NearbyError, match=message) as caught:
        read_query(collection, text)
    assert "\n" not in str(caught.value)
    if text != '{"amont": 1}':
        assert isinstance(caught.value, QueryError)


def test_rows_with_other_columns_are_not_put(collection):
    before = collection.items.size
    with pytest.raises(DimensionError, match="no column 'type'"):
        collection.put([Item("x", Row(("amount",), (1.0,)))])
    again = open_collection(collection.folder)
    assert again.items.size == before
    added, _ = again.put([Item("x", Row(("when", "amount", "type"), (None, 1.0, "new")))])
    assert added.items.size == before + 1


def test_a_table_that_is_added_is_read_as_the_one_that_is_there(tmp_path):
    (tmp_path / "t.csv").write_text("amount,type,note\n1,a,x\n2,b,y\n")
    (tmp_path / "more.csv").write_text("id,type,note,amount\nn,b,z,3\n")
    address = f"{tmp_path / 't.csv'}?columns=*&without=note"
    made = LocalCollection.create(tmp_path / "c", open_corpus(address)).add_space("columns")
    (item,) = open_addition(made, str(tmp_path / "more.csv"))
    assert (item.id, item.metadata) == ("n", {"note": "z"})
    assert item.content == Row(("type", "amount"), ("b", 3.0))
    after, change = made.put([item])
    assert (change.added, after.items.size) == (["n"], 3)
    assert [row.id for row in open_addition(made, "breast-cancer")][:1] == ["0"]  # a name takes no options of a file


def test_the_code_of_a_row_names_its_components(collection):
    from retrieval.applications.reconstruction import code_of

    lines = code_of(collection, "columns", "@1").lines()
    assert [line.split("  ")[0] for line in lines] == ["amount", "type=CASH_OUT", "type=PAYMENT", "type other", "when"]
