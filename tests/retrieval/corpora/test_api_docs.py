import re
import subprocess
import sys

import pytest

from retrieval.corpora.api_docs import ApiDocs, Resolver
from retrieval.corpora.public_api import DocumentedObject, own_docstring, public_objects
from retrieval.corpora.registry import open_corpus


@pytest.fixture(scope="module")
def corpus():
    return open_corpus("api-docs")


def test_large_enough(corpus):
    queries = list(corpus.queries())
    assert corpus.size == len(list(corpus)) >= 2_500
    assert len(queries) >= 800
    assert {query.id for query in queries} == corpus.qrels().keys()


def test_ids_are_unique_and_every_judged_id_exists(corpus):
    ids = [item.id for item in corpus]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    qrels = corpus.qrels()
    assert qrels.keys() <= set(ids)
    for query, linked in qrels.items():
        assert linked.keys() <= set(ids)
        assert query not in linked
        assert set(linked.values()) == {1}


def test_no_see_also_is_left_in_any_document(corpus):
    leaking = [item.id for item in corpus if re.search(r"see[\s_-]*also", item.content, re.IGNORECASE)]
    assert leaking == []


def test_known_links_and_texts(corpus):
    qrels, items = corpus.qrels(), {item.id: item for item in corpus}
    assert {"numpy.asin", "numpy.sinh", "numpy.cos"} <= qrels["numpy.sin"].keys()
    assert "sklearn.cluster.MiniBatchKMeans" in qrels["sklearn.cluster.KMeans"]
    assert "torch.amin" in qrels["torch.aminmax"]
    sine = items["numpy.sin"]
    assert sine.title == "numpy.sin"
    assert sine.label == "numpy"
    assert sine.content.startswith("numpy.sin\n")
    assert "Trigonometric sine, element-wise." in sine.content
    assert "arcsin" not in sine.content
    assert {item.label for item in items.values()} == {"numpy", "scipy", "scikit-learn", "torch", "python"}


def test_queries_are_items(corpus):
    assert corpus.queries_are_items
    items = {item.id: item for item in corpus}
    assert all(items[query.id] is query for query in corpus.queries())


def test_alias_is_one_document_under_its_shortest_name(corpus):
    ids = {item.id for item in corpus}
    assert "numpy.abs" in ids  # the same object as numpy.absolute
    assert "numpy.absolute" not in ids


def test_other_hash_seed_gives_the_same_corpus():
    program = """
import sys
sys.modules["torch"] = None
from retrieval.corpora import public_api
public_api.MODULES = {key: public_api.MODULES[key] for key in ("numpy", "torch", "python")}
from retrieval.corpora.api_docs import ApiDocs
corpus = ApiDocs()
print(corpus.digest(), sum(map(len, corpus.qrels().values())), {item.label for item in corpus} == {"numpy", "python"})
"""
    outputs = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        assert done.stderr == ""
        outputs.add(done.stdout)
    assert len(outputs) == 1  # and a missing package (torch) only makes fewer documents
    assert outputs.pop().strip().endswith("True")


def test_links_resolve_from_the_inside_out():
    objects = [
        DocumentedObject("numpy", "", ["numpy.norm", "numpy.old_norm"]),
        DocumentedObject("numpy", "", ["numpy.linalg.norm"]),
        DocumentedObject("numpy", "", ["numpy.linalg.svd"]),
        DocumentedObject("numpy", "", ["numpy.ma.count"]),
        DocumentedObject("numpy", "", ["numpy.char.count"]),
    ]
    resolve = Resolver(objects)
    here = objects[2]
    assert resolve("norm", here) == "numpy.linalg.norm"
    assert resolve("old_norm", here) == "numpy.norm"
    assert resolve("np.norm", here) == "numpy.norm"
    assert resolve("linalg.norm", objects[3]) == "numpy.linalg.norm"
    assert resolve("svd", objects[3]) == "numpy.linalg.svd"
    assert resolve("count", here) is None  # two of that name, and no reason for either
    assert resolve("nothing", here) is None


def test_inherited_docstrings_do_not_count():
    class Base:
        """Say something long enough to be searched for."""

    class Silent(Base):
        pass

    assert own_docstring(Base) == "Say something long enough to be searched for."
    assert own_docstring(Silent) is None
    assert own_docstring(Base()) is None


def test_every_document_is_public():
    for documented in public_objects()[::50]:
        assert not any(part.startswith("_") for name in documented.names for part in name.split("."))


def test_re_readable(corpus):
    assert [item.id for item in corpus] == [item.id for item in ApiDocs()]
