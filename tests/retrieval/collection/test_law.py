"""Every operation of a collection, on one on disk and on one in Elasticsearch: the same answers or the same error."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import NearbyError, QueryError
from encoders.row import Row
from retrieval.collection import merge_policy
from retrieval.collection.base import Collection
from retrieval.collection.elasticsearch.collection import ServedCollection
from retrieval.collection.elasticsearch.items import ServedItems
from retrieval.collection.filters import Filter, fields_of
from retrieval.collection.indexing import IndexRequest, index_by_request
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import CollectionItems
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.collection.segmented_items import SegmentedItems
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.tuning.tuning import tune

SPACES = ("bm25", "tfidf+lsa:6", "tfidf+lsa:6+binarize")
ADDED = "tfidf+lsa:4"
WORDS = "river bank money loan water boat fish rate credit stream tide bond".split()
QUERY = "river water loan"


class News(Corpus):
    """Forty texts with labels and metadata, two queries and their judgements."""

    name = "news"
    modality = Modality.TEXT

    def __iter__(self):
        draw = np.random.default_rng(7)
        for number in range(40):
            text = " ".join([*draw.choice(WORDS, 9).tolist(), f"w{number}"])
            id = ["~tilde", "x" * 600, "🦊"][number] if number < 3 else f"d{number}"
            year = {"year": str(2000 + number % 2)} if number % 4 else {}
            yield Item(id, text, title=f"title {number}", label=str(number % 3), metadata={**year, "a.b": "dotted"})

    def queries(self):
        return iter([Item("q1", "river boat"), Item("q2", "money loan")])

    def qrels(self):
        return {"q1": {"d3": 2, "d4": 0}, "q2": {"d5": 1}}


def shown(item):
    return item.id, item.content, item.title, item.label, item.metadata


def code(collection, spec, text=QUERY):
    return collection.space(spec).encoder.encode_queries([text])


def hits(collection, specs=SPACES, k=5, filters=()):
    """Ids and scores; of equal scores the order is free, so they are sorted by id."""
    found = collection.search([(spec, code(collection, spec)) for spec in specs], k, filters)
    return [sorted((round(-hit.score, 3), hit.id) for hit in one) for one in found]


def scores(collection, spec, k=5):
    """Scores alone: which of equal scores are the last of the best is free."""
    (found,) = collection.search([(spec, code(collection, spec))], k)
    return [round(hit.score, 3) for hit in found]


def exact_scores(collection, spec, ids):
    index = collection.codes_of(spec)
    return index.score_rows(code(collection, spec), index.rows_of_ids(ids)[None]).round(3).tolist()


def opened(collection, spec):
    space = collection.space(spec)
    fitted = space.encoder.fitted_on == collection.items_digest
    return space.record.spec, str(space.encoder), space.index.space, len(space.index), list(space.index.ids), fitted


def described(collection):
    info = collection.info()
    spaces = [(one.spec, one.space, one.encoder_digest != "", bytes_of_codes(one)) for one in info.spaces]
    return info.folder, info.corpus, info.modality, info.items, info.digest, info.bytes > 0, spaces


def bytes_of_codes(record):
    """Return the bytes of dense codes, which all have one size; a server counts sparse ones in another form."""
    return record.code_bytes if record.space["kind"] == "dense" else record.code_bytes > 0


def filters(*texts):
    return [Filter.read(text) for text in texts]


#: Filters that compare.
COMPARED = (
    "label!=1", "label>0", "label<=1", "label>=b", "year!=2000", "year!=2002", "year>2000", "year>=2000",
    "year<2000", "year<=1e9", "year<", "year>a", "year>=2001x", "a.b>a", "a.b<=dotted", "a.b!=x",
    "a.b>5", "yaer>5", "a.b<0e",
)  # fmt: skip
#: What is read of a collection: name -> call.
READS = {
    "items": lambda c: list(map(shown, c.items)),
    "number of items": lambda c: c.items.size,
    "queries": lambda c: (list(map(shown, c.items.queries())), c.items.queries_are_items),
    "judgements": lambda c: c.items.qrels(),
    "digest": lambda c: (c.items_digest, c.items.digest()),
    "whether it is current": lambda c: c.is_current(),
    "items by id": lambda c: list(map(shown, c.items.get(["d9", "🦊", "x" * 600, "d9"]))),
    "no items": lambda c: c.items.get([]),
    "a mistyped id": lambda c: c.items.get(["d9", "dd9", "another"]),
    "a number that is no id": lambda c: c.items.get(["3"]),
    "an id like no other": lambda c: c.items.get(["%%%%"]),
    "ids that are there": lambda c: c.items.require(["d8", "🦊"]),
    "ids of which one is not there": lambda c: c.items.require(["d8", "d8a"]),
    "a label": lambda c: c.items.matching(filters("label=1")),
    "a label and a year": lambda c: c.items.matching(filters("label=1", "year=2001", "a.b=dotted")),
    "an unknown label": lambda c: c.items.matching(filters("label=9")),
    "a mistyped field": lambda c: c.items.matching(filters("yaer=2001")),
    **{f"items with {text}": lambda c, text=text: c.items.matching(filters(text)) for text in COMPARED},
    "items between two years": lambda c: c.items.matching(filters("year>1999.5", "year<+2001", "label!=2")),
    "an unknown year": lambda c: c.items.matching(filters("year=1999")),
    "filters that exclude each other": lambda c: c.items.matching(filters("label=1", "label=2")),
    "fields to filter by": lambda c: c.filters(),
    "stale indexes": lambda c: [] if (found := c.server_indexes()) is None else found.stale,
    "spaces": lambda c: list(c.spaces),
    "a full spec": lambda c: c.resolve("tfidf+lsa:k=6"),
    "an ambiguous beginning": lambda c: c.resolve("tfidf"),
    "an unknown space": lambda c: c.resolve("bm52"),
    "opened bm25": lambda c: opened(c, "bm25"),
    "opened dense": lambda c: opened(c, "tfidf+lsa:6"),
    "opened binary": lambda c: opened(c, "tfidf+lsa:6+binarize"),
    "an unknown space opened": lambda c: opened(c, "pixels"),
    "codes of an unknown space": lambda c: c.codes_of("pixels"),
    "exact scores by codes": lambda c: exact_scores(c, "tfidf+lsa:6", ["d9", "d8"]),
    "exact scores by bits": lambda c: exact_scores(c, "tfidf+lsa:6+binarize", ["d9", "d8"]),
    "items with a word of the query": lambda c: sorted(id for _, id in hits(c, SPACES[:1], 100)[0]),
    "the best by codes": lambda c: hits(c, SPACES[1:2]),
    "the best by bits": lambda c: scores(c, SPACES[2]),
    "all hits of two spaces": lambda c: hits(c, SPACES[1:], 100),
    "hits that pass a filter": lambda c: hits(c, SPACES[1:], 100, filters("year=2001")),
    "hits that pass two filters": lambda c: hits(c, SPACES[1:2], 2, filters("label=1", "year=2000")),
    "hits that pass a comparison": lambda c: hits(c, SPACES[1:], 100, filters("year>=2001", "label!=0")),
    "hits that pass no comparison": lambda c: hits(c, filters=filters("year>2001")),
    "hits that pass no filter": lambda c: hits(c, filters=filters("label=one")),
    "no query": lambda c: c.search([], 3),
    "no hits": lambda c: hits(c, k=0),
    "half a hit": lambda c: hits(c, k=0.5),
    "hits of an unknown space": lambda c: c.search([("pixels", None)], 3),
    "a query of another space": lambda c: c.search([("tfidf+lsa:6", np.zeros((1, 5), np.float32))], 3),
    "a query that is not a number": lambda c: c.search([("tfidf+lsa:6", np.full((1, 6), np.nan, np.float32))], 3),
    "several reads": lambda c: c.read_consistently(lambda: (c.items.size, hits(c, SPACES[1:2]))),
    "info": described,
}
#: Scores of BM25. A server counts words in the items that it has now, and in removed ones until it merges; a
#: collection on disk keeps the counts of its fit. So these are the same only as long as nothing was changed.
BM25_READS = {
    "exact scores by words": lambda c: exact_scores(c, "bm25", ["d9", "d8"]),
    "the best by words": lambda c: hits(c, SPACES[:1]),
    "the best by words that pass a filter": lambda c: hits(c, SPACES[:1], 2, filters("label=1", "year=2000")),
}

#: What changes a collection, one after the other: name -> call; each returns the changed collection, and more.
CHANGES = {
    "put": lambda c: c.put([Item("new", "a new river"), Item("d7", "zebra loan", label="9"), *list(c.items)[5:7]]),
    "put nothing": lambda c: c.put([]),
    "put the same again": lambda c: c.put(list(c.items)),
    "put one id twice": lambda c: c.put([Item("twice", "a river"), Item("twice", "a bank")]),
    "put a vector": lambda c: c.put([Item("vector", np.zeros(3, np.float32))]),
    "delete": lambda c: c.delete(["d3", "new", "d10", "d3"]),
    "delete what is not there": lambda c: c.delete(["d11", "d3"]),
    "delete nothing": lambda c: c.delete([]),
    "delete everything": lambda c: c.delete([item.id for item in c.items]),
    "add a space": lambda c: c.add_space(ADDED),
    "add it again": lambda c: c.add_space(ADDED),
    "add one that does not exist": lambda c: c.add_space("pixls"),
    "add one of pictures": lambda c: c.add_space("pixels"),
    "add one with an option that does not exist": lambda c: c.add_space("bm25:k9=1"),
    "add one with an index that does not exist": lambda c: c.add_space("tfidf+lsa:3", "exat"),
    "put into the new space too": lambda c: c.put([Item("last", "money in the bank", label="0")]),
    "compact": lambda c: c.compact(),
    "compact again": lambda c: c.compact(),
    "delete from the compact one": lambda c: c.delete(["d12"]),
    "open it again": lambda c: (c.close(), c.close(), open_collection(c.folder))[-1],
    "take over what is open": lambda c: taken_over(c),
}


def taken_over(collection):
    """The collection opened again, with the encoders that were read before."""
    before = {spec: collection.space(spec).encoder for spec in collection.spaces}
    again = open_collection(collection.folder)
    again.take_over(collection)
    assert all(again.space(spec).encoder is encoder for spec, encoder in before.items())
    return again


def outcome(call, collection):
    """What a call gives, or its error, without the name of the folder."""
    try:
        found = call(collection)
    except NearbyError as error:
        return type(error), str(error).replace(str(collection.folder), "FOLDER")
    return str(found).replace(str(collection.folder), "FOLDER"), None


def changed(call, collection):
    """The collection as it is after a call that changes it, and what else the call gives, or its error."""
    try:
        found = call(collection)
    except NearbyError as error:
        return open_collection(collection.folder), (type(error), str(error).replace(str(collection.folder), "FOLDER"))
    made, rest = found if isinstance(found, tuple) else (found, None)
    return made, rest


@pytest.fixture(scope="module")
def address(elasticsearch_url, elasticsearch_client):
    name = f"nearby-law-{uuid.uuid4().hex}"
    yield f"elasticsearch:{elasticsearch_url}/{name},flat"
    elasticsearch_client.indices.delete(index=list(elasticsearch_client.indices.get(index=f"{name}*")))


@pytest.fixture(scope="module")
def both(tmp_path_factory, address):
    """The same collection on disk and on the server."""
    folder = tmp_path_factory.mktemp("law")
    local = index_by_request(IndexRequest(SPACES, folder / "local"), News())
    served = index_by_request(IndexRequest(SPACES, folder / "served", address), News())
    assert (type(local), type(served)) == (LocalCollection, ServedCollection)
    return local, served


def differences(local, served):
    pairs = {name: (outcome(call, local), outcome(call, served)) for name, call in READS.items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("name", [*READS, *BM25_READS])
def test_reading_gives_the_same(both, name):
    call = (READS | BM25_READS)[name]
    mine, its = (outcome(call, collection) for collection in both)
    assert mine == its
    if name.startswith("items with ") and name.removeprefix("items with ") in COMPARED:
        assert named(call, both[0]) == by_hand(both[0], name.removeprefix("items with "))


def test_tuning_finds_the_same(both):
    found = [tune(collection, SPACES[1], k=5, sample=20) for collection in both]
    mine, its = ([(one.index, one.recalls) for one in some.settings if "HNSW" not in one.index] for some in found)
    assert mine == its
    assert [len(some.settings) for some in found] == [len(found[0].settings)] * 2
    assert found[0].n_queries == found[1].n_queries == {"items": 20, "queries": 2}
    assert found[1].present.startswith("elasticsearch")


def test_changing_gives_the_same_and_leaves_the_same(both, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)  # what is added stays in segments of its own
    local, served = both
    in_segments = False
    for name, call in CHANGES.items():
        local, mine = changed(call, local)
        served, its = changed(call, served)
        assert mine == its, name
        assert differences(local, served) == {}, name
        in_segments |= bool(local.manifest.segments)
    assert in_segments
    assert list(local.spaces) == [*SPACES, ADDED]


@pytest.mark.parametrize(
    ("contract", "classes"),
    [(Collection, (LocalCollection, ServedCollection)), (CollectionItems, (ItemStore, SegmentedItems, ServedItems))],
)
def test_no_operation_is_of_one_of_them_alone(contract, classes):
    def public(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    #: What makes a new collection, and what only drafts and loads call.
    inside = {
        *("create", "close", "vectors", "segments", "stores", "read", "present", "digests", "rows"),
        *("item_digests", "judged", "positions", "last_row", "has_queries", "last_position", "none_matches"),
    }
    for cls in classes:
        assert not cls.__abstractmethods__
        assert public(cls) - public(contract) <= inside, cls


def test_every_operation_of_the_contract_is_called(both):
    called = set()

    class Watched:
        def __init__(self, collection):
            self._watched = collection

        def __getattr__(self, name):
            called.add(name)
            return getattr(self._watched, name)

    for call in READS.values():
        outcome(call, Watched(both[0]))
    source = {"put", "delete", "add_space", "compact", "close", "take_over"}  # of CHANGES
    operations = {name for name in dir(Collection) if not name.startswith("_")}
    assert operations - called - source <= {"generation"}


class Payments(Corpus):
    """Thirty rows of a table, with missing values, labels and metadata."""

    name = "payments"
    modality = Modality.ROW
    columns = ("amount", "type", "when")

    def __iter__(self):
        for number in range(30):
            values = (
                None if number % 7 == 3 else float(number * number),
                [None, "CASH_OUT", 'PAY,"MENT', "Überweisung"][number % 4],
                f"2026-01-{number + 1:02d}T{number % 24:02d}:15:00",
            )
            yield Item(f"p{number}", Row(self.columns, values), None, str(number % 2), {"account": f"C{number % 3}"})


ROW_SPACES = ("columns", "columns+pca:3", "columns+pca:3+binarize")
ROW_QUERY = Row(Payments.columns, (50.0, "new", None))


def row_hits(collection, spec, k=5, filters=()):
    codes = collection.space(spec).encoder.encode_queries([ROW_QUERY])
    (found,) = collection.search([(spec, codes)], k, filters)
    return [round(hit.score, 3) for hit in found], sorted(hit.id for hit in found) if k >= 100 else None


#: What is read of a collection of rows, and what changes it: name -> call.
ROW_CALLS = {
    "items": lambda c: list(map(shown, c.items)),
    "digest": lambda c: (c.items_digest, c.items.digest()),
    "whether it is current": lambda c: c.is_current(),
    "items by id": lambda c: list(map(shown, c.items.get(["p3", "p29"]))),
    "filters": lambda c: (c.filters(), c.items.matching(filters("account=C1", "label=0"))),
    **{
        f"rows with {text}": lambda c, text=text: c.items.matching(filters(text))
        for text in (
            "amount=100",
            "amount>100",
            "amount>=100",
            "amount<16.5",
            "amount<=0",
            "amount!=1",
            "amount<-1",
            "amount>1e9",
            "type=CASH_OUT",
            'type=PAY,"MENT',
            "type!=CASH_OUT",
            "type>P",
            "type>1",
            "type<Ü",
            "when>=2026-01-15",
            "when<2026-01-03T00",
            "when=2026-01-01T00:15:00",
            "amuont>1",
            "account>=C1",
            "account>0",
        )
    },
    "rows between": lambda c: c.items.matching(filters("amount>=100", "amount<400", "type!=CASH_OUT", "account=C1")),
    "hits among rows": lambda c: row_hits(c, "columns", 100, filters("amount>100", "type=CASH_OUT")),
    "no hits among rows": lambda c: row_hits(c, "columns", 100, filters("amount>100000")),
    "types": lambda c: c.space("columns").encoder.column_types(),
    "vocabulary": lambda c: c.space("columns+pca:3").encoder.vocabulary,
    **{f"hits of {spec}": lambda c, spec=spec: row_hits(c, spec) for spec in ROW_SPACES},
    "all hits": lambda c: row_hits(c, "columns", 100, filters("account=C2")),
    "a query of text": lambda c: c.space("columns").encoder.encode_queries(["50"]),
}
ROW_CHANGES = {
    "put": lambda c: c.put([Item("new", ROW_QUERY), Item("p4", Row(("when", "type", "amount"), (None, "x", 1.0)))]),
    "put rows with a key of a column, odd numbers and odd names": lambda c: c.put(
        [
            Item("both", Row(Payments.columns, (7.0, "A", None)), metadata={"amount": "1000", "type": "B"}),
            Item("text", Row(Payments.columns, ("0.00", "1e3", "-5"))),
            Item("zero", Row(Payments.columns, (-0.0, "", "x" * 300))),
        ]
    ),
    "put a text": lambda c: c.put([Item("text", "a text")]),
    "put other columns": lambda c: c.put([Item("other", Row(("amount", "kind"), (1.0, "x")))]),
    "put an infinite number": lambda c: c.put([Item("inf", Row(Payments.columns, (float("inf"), None, None)))]),
    "add a space of pictures": lambda c: c.add_space("pixels"),
    "add a space of texts": lambda c: c.add_space("bm25"),
    "delete": lambda c: c.delete(["p1", "new"]),
    "compact": lambda c: c.compact(),
    "compact again": lambda c: c.compact(),
    "delete from the compact one": lambda c: c.delete(["d12"]),
    "open it again": lambda c: (c.close(), open_collection(c.folder))[-1],
}


def named(call, collection):
    """The ids that a call gives, or none."""
    try:
        return call(collection)
    except QueryError:
        return []


def by_hand(collection, *texts):
    """The ids of the items that satisfy filters, by looking at each."""
    fields = {item.id: {**fields_of(item.metadata, item.content), "label": item.label} for item in collection.items}
    wanted = filters(*texts)
    return [id for id, own in fields.items() if all(one.holds(own.get(one.field)) for one in wanted)]


#: What an encoder refuses, not the collection.
ROW_REFUSED = {"put other columns"}


@pytest.fixture(scope="module")
def row_address(elasticsearch_url, elasticsearch_client):
    name = f"nearby-law-{uuid.uuid4().hex}"
    yield f"elasticsearch:{elasticsearch_url}/{name},flat"
    elasticsearch_client.indices.delete(index=list(elasticsearch_client.indices.get(index=f"{name}*")))


def test_rows_of_a_table_give_the_same(tmp_path, row_address):
    local = index_by_request(IndexRequest(ROW_SPACES, tmp_path / "local"), Payments())
    served = index_by_request(IndexRequest(ROW_SPACES, tmp_path / "served", row_address), Payments())
    expected = [Item(item.id, item.content, None, item.label, item.metadata) for item in Payments()]
    assert [shown(item) for item in served.items] == [shown(item) for item in expected]
    for change, call in {"nothing": lambda c: c, **ROW_CHANGES}.items():
        local, mine = changed(call, local)
        served, its = changed(call, served)
        if change in ROW_REFUSED:  # a server refuses an item alone, and names it
            assert its[1].endswith(mine[1]), change
        else:
            assert mine == its, change
        for name, read in ROW_CALLS.items():
            assert outcome(read, local) == outcome(read, served), (change, name)
            if name.startswith("rows with"):
                assert named(read, local) == by_hand(local, name.removeprefix("rows with ")), (change, name)
    found = {name: named(read, local) for name, read in ROW_CALLS.items() if name.startswith("rows with")}
    assert sum(map(bool, found.values())) > 14  # that they find something
    assert local.items.size == 32
