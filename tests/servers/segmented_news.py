"""A small collection of news with judgements, and changes of it that leave it in segments."""

from __future__ import annotations

import shutil

import numpy as np

from encoders.codes import Modality
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, Item

WORDS = "river bank money loan water boat fish rate credit stream tide bond".split()
#: The last one is approximate by its type, though it reads every list.
SPACES = {
    "bm25": None, "tfidf+lsa:6": None, "tfidf+lsa:5+binarize": None, "tfidf+lsa:4": "faiss:IVF4,Flat?nprobe=4",
}  # fmt: skip
N = 60


def item(number: int, version: int = 0) -> Item:
    draw = np.random.default_rng([number, version])
    text = " ".join([*draw.choice(WORDS, 9).tolist(), f"w{number}"])
    year = {"year": str(2000 + number % 5)} if number % 4 else {}
    return Item(f"d{number}", text, title=f"title {number}", label=str(number % 3), metadata=year)


class News(Corpus):
    name = "news"
    modality = Modality.TEXT

    def __iter__(self):
        return map(item, range(N))

    def queries(self):
        return iter([Item("q1", "river boat"), Item("q2", "money loan")])

    def qrels(self):
        return {"q1": {"d3": 2, "d4": 0, "d40": 1}, "q2": {"d5": 1}}


def made(folder) -> LocalCollection:
    collection = LocalCollection.create(folder, News())
    for spec, index in SPACES.items():
        collection = collection.add_space(spec, index)
    return collection


def put(*items: Item):
    return lambda c: c.put(iter(items))[0]


def delete(*numbers: int):
    return lambda c: c.delete([f"d{number}" for number in numbers])


def copied(begun, folder) -> LocalCollection:
    shutil.copytree(begun, folder)
    return LocalCollection(folder)
