"""Which items satisfy filters, asked of SQLite; and why none does."""

from __future__ import annotations

import sqlite3

import pytest

from encoders.codes import Modality
from encoders.errors import ArtifactError, QueryError
from retrieval.collection.filters import Filter
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.item_store import ItemStore
from retrieval.corpora.base import Corpus, Item

ODD = ["a.b", "a[0]", "$", "$.year", 'a"b', 'a\\"b', "a\\b", "a'b", "a\nb", "a\x01b", "é", "日本", "😀", "#", "", "%", "_", "?"]  # fmt: skip


class Made(Corpus):
    name, modality = "made", Modality.TEXT

    def __init__(self, *items: Item) -> None:
        self.items = items

    def __iter__(self):
        return iter(self.items)


@pytest.fixture
def store(tmp_path):
    items = [
        Item("z", "1", label="car", metadata={"year": "2004", "place": "rome"}),
        Item("a", "2", label="fruit", metadata={"year": "2004"}),
        Item("m", "3", label="car", metadata={"year": "2005"}),
        Item("b", "4", label="car", metadata={"year": "2004"}),
        Item("n", "5"),
    ]
    ItemDraft.create(tmp_path / "items.sqlite", Made(*items)).close()
    return ItemDraft(tmp_path / "items.sqlite", writable=True)


def of(store: ItemStore, *filters: str) -> list[str]:
    return store.matching([Filter.read(text) for text in filters])


def test_all_filters_hold_and_ids_come_in_the_order_of_rows(store):
    assert of(store, "label=car") == ["z", "m", "b"]
    assert of(store, "year=2004") == ["z", "a", "b"]
    assert of(store, "label=car", "year=2004") == ["z", "b"]
    assert of(store, "year=2004", "place=rome", "label=car") == ["z"]
    assert of(store) == ["z", "a", "m", "b", "n"]


def test_a_replaced_item_comes_last_as_its_code_does(store):
    store.put([Item("z", "1 changed", label="car")])
    assert of(store, "label=car") == ["m", "b", "z"]


def test_numbers_that_a_program_put_there_are_compared_as_text(store):
    store.put([Item("number", "6", metadata={"year": 1999})])
    assert of(store, "year=1999") == ["number"]
    with pytest.raises(QueryError, match=r"no item has year=1999\.0"):
        of(store, "year=1999.0")


@pytest.mark.parametrize("key", ODD)
def test_keys_and_values_are_never_read_as_a_path_or_as_sql(store, key):
    others = [Item(f"other {n}", "x", metadata={odd: "no"}) for n, odd in enumerate(ODD)]
    value = key + "' OR 1"
    others.append(Item("every other key", "x", metadata={odd: value for odd in ODD if odd != key}))
    store.put([*others, Item("odd", "x", metadata={"first": key, key: value})])
    assert store.matching([Filter(key, value)]) == ["odd"]
    assert store.matching([Filter("first", key)]) == ["odd"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (["label=carr"], "no item has label=carr; did you mean 'car'?"),
        (["label=zzz"], "no item has label=zzz; there are: car, fruit"),
        (["label=Car"], "no item has label=Car; did you mean 'car'?"),
        (["year=1066"], "no item has year=1066; there are: 2004, 2005"),
        (["yeer=2004"], "no item has the field 'yeer'; did you mean 'year'?"),
        (["labels=car"], "no item has the field 'labels'; did you mean 'label'?"),
        (["zzz=car"], "no item has the field 'zzz'; there are: label, place, year"),
        (["label=car", "year=2044"], "no item has year=2044; did you mean '2004'?"),
        (["year>2005"], "no item has year>2005; there are: 2004, 2005"),
        (["year<a", "year>2004x", "year>3000"], "no item has year>3000; there are: 2004, 2005"),
        (["label!=car", "label!=fruit"], "no item has label!=car and label!=fruit at once"),
        (["label>5"], "no item has label>5: no value of 'label' is a number; there are: car, fruit"),
        (["yeer>5"], "no item has the field 'yeer'; did you mean 'year'?"),
        (["label=fruit", "year=2005"], "no item has label=fruit and year=2005 at once"),
        (["year=2004", "year=2005"], "no item has year=2004 and year=2005 at once"),
    ],
)
def test_the_filter_to_blame_is_named(store, filters, message):
    with pytest.raises(QueryError) as raised:
        of(store, *filters)
    assert str(raised.value) == message


def test_label_is_the_label_whatever_the_metadata_call_so(store):
    store.put([Item("own", "x", metadata={"label": "car"}), Item("both", "x", label="car", metadata={"label": "bus"})])
    assert of(store, "label=car") == ["z", "m", "b", "both"]
    with pytest.raises(QueryError, match="no item has the field 'zzz'; there are: label, place, year"):
        of(store, "zzz=car")


def test_of_items_with_nothing_to_filter_by_that_is_said(tmp_path):
    store = ItemDraft.create(tmp_path / "bare.sqlite", Made(Item("1", "x"), Item("2", "y")))
    for field in ("label", "year"):
        with pytest.raises(QueryError, match=f"no item has the field '{field}'; the items have neither label nor meta"):
            store.matching([Filter(field, "x")])


def test_of_long_and_many_values_some_are_named(tmp_path):
    items = [Item(str(n), "x", metadata={"note": f"{n:02} line\n" + "long " * 100}) for n in range(30)]
    store = ItemDraft.create(tmp_path / "many.sqlite", Made(*items))
    with pytest.raises(QueryError) as raised:
        store.matching([Filter("note", "?")])
    assert str(raised.value).startswith("no item has note=?; there are: 00 line long")
    assert str(raised.value).endswith(", ...")
    assert len(str(raised.value)) < 500
    assert "\n" not in str(raised.value)


def test_metadata_that_is_no_json_is_damage(store):
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE items SET metadata = '{\"year\"' WHERE id = 'm'")
    with pytest.raises(ArtifactError, match=r"items.sqlite is damaged: .*; index the corpus again"):
        of(store, "year=2004")
