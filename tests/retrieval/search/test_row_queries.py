"""A row is a query: by its id, or as a JSON object."""

import json
import random

import pytest

from encoders.errors import DimensionError, NearbyError, QueryError
from encoders.row import Row
from retrieval.collection.filters import Filter
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_addition, open_collection
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.search.read_query import read_query
from retrieval.search.searcher import Searcher

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


def test_a_column_that_is_not_given_is_not_compared_and_said(collection, capsys):
    query = read_query(collection, '{"amount": "7"}')
    assert query.content == Row(("amount",), (7.0,))
    assert (
        capsys.readouterr().err
        == "the query has no value for type, when: not compared in the space columns, taken as typical in others\n"
    )
    whole = read_query(collection, '{"amount": "7"}', whole=True)
    assert whole.content == Row(("amount", "type", "when"), (7.0, None, None))


PARTS = [
    {"number": 3.0}, {"kind": "b"}, {"day": "2026-03-01"}, {"number": 3.0, "day": None}, {"kind": None}, {"kind": "new", "number": -1.0},
]  # fmt: skip


@pytest.fixture(scope="module")
def with_missing(tmp_path_factory):
    """Rows of which every value may be missing, and whose columns have spreads of all sizes."""
    rng = random.Random(4)
    values = [(rng.gauss(0, 5), rng.choice("abc"), f"2026-{rng.randint(1, 12):02d}-01") for _ in range(300)]
    rows = [[("" if rng.random() < 0.3 else value) for value in row] for row in values]
    folder = tmp_path_factory.mktemp("parts")
    (folder / "t.csv").write_text("number,kind,day\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    made = LocalCollection.create(folder / "c", open_corpus(f"{folder / 't.csv'}?columns=*")).add_space("columns")
    return made.add_space("columns+pca:3")


def mean_distances(collection, given):
    """The distances of all items to a query, computed column by column."""
    encoder = collection.space("columns").encoder
    parts = encoder.components_of()
    row = Row(("number", "kind", "day"), tuple(given.get(name) for name in ("number", "kind", "day")))
    items = list(collection.items)
    codes = encoder.encode([item.content for item in items])
    query = encoder.encode([row])[0]
    squares = sum(((codes[:, parts[name]] - query[parts[name]]) ** 2).sum(axis=1) for name in given)
    return {item.id: float(square) ** 0.5 for item, square in zip(items, squares, strict=True)}


@pytest.mark.parametrize("given", PARTS)
@pytest.mark.parametrize("filters", [[], [Filter("label", "x")]])
def test_columns_that_are_not_given_do_not_decide(with_missing, given, filters):
    """The law: the distances are those of the columns that the query gives, whatever the others hold."""
    query = read_query(with_missing, json.dumps(given))
    if filters:
        with pytest.raises(QueryError):
            Searcher(with_missing, ["columns"]).search(query, 20, filters)
        return
    wanted = mean_distances(with_missing, given)
    (found,) = Searcher(with_missing, ["columns"]).search(query, 300)
    assert [answer.distance for answer in found.answers] == pytest.approx(
        [wanted[one.shown.id] for one in found.answers], abs=1e-3
    )
    assert [answer.distance for answer in found.answers] == pytest.approx(sorted(wanted.values()), abs=1e-3)


def test_in_other_spaces_what_is_not_given_is_not_missing(with_missing):
    lacking = []
    for whole in (True, False):
        query = read_query(with_missing, '{"number": 0}', whole)
        (found,) = Searcher(with_missing, ["columns+pca:3"]).search(query, 20)
        rows = [with_missing.items.get([answer.shown.id])[0].content for answer in found.answers]
        lacking.append(sum((row["kind"] is None) + (row["day"] is None) for row in rows))
    assert lacking[1] < lacking[0] / 2


def test_a_null_is_a_missing_value(with_missing):
    query = read_query(with_missing, '{"kind": null}')
    (found,) = Searcher(with_missing, ["columns"]).search(query, 20)
    assert all(with_missing.items.get([one.shown.id])[0].content["kind"] is None for one in found.answers)


def test_fused_answers_compare_what_is_given(with_missing):
    from retrieval.search.hybrid import fused_search

    query = read_query(with_missing, '{"kind": "b"}')
    fused = fused_search(Searcher(with_missing), query, 10, depth=10)
    ranked = [one for one, ranks in zip(fused.answers, fused.ranks, strict=True) if ranks[0] is not None]
    assert ranked
    assert all(with_missing.items.get([one.shown.id])[0].content["kind"] == "b" for one in ranked)


def test_a_query_of_columns_that_are_left_out_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("name,n\n" + "".join(f"u{n},{n}\n" for n in range(30)))
    LocalCollection.create(tmp_path / "c", open_corpus(f"{tmp_path / 't.csv'}?columns=*")).add_space("columns")
    made = open_collection(tmp_path / "c")
    with pytest.raises(QueryError, match="the query gives no column that this space reads: n"):
        Searcher(made).search(read_query(made, '{"name": "u3"}'), 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("some words", "the query is not a row of a table"), ("[1, 2]", "the query is not a row of a table: give a JSON object"),
        ("{}", "the query is not a row"), ('{"amount": 1, "amount": 2}', "the name 'amount' is given twice"),
        ('{"amont": 1}', "did you mean 'amount'"), ("@99", "holds no item '99'"), ("", "not a row"),
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
