"""What a comparison says of a collection on disk and of the same one in Elasticsearch: the same, or the same error."""

from __future__ import annotations

import json
import uuid

import numpy as np
import pytest
from typer.testing import CliRunner

import cli
from encoders.codes import Modality
from encoders.errors import NearbyError
from retrieval.collection.elasticsearch.collection import ServedCollection
from retrieval.collection.indexing import IndexRequest, index_by_request
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.compare import compare_collection
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.health.health import health, read_spaces
from retrieval.experiment.save_weights import save_weights
from retrieval.search.saved_fusion import SavedFusion

SPACES = ("bm25", "tfidf+lsa:16", "tfidf+lsa:16+binarize")
TOPICS = {"sea": range(24), "rail": range(16, 40), "air": range(32, 60)}


class Texts(Corpus):
    """Sixty texts of three topics with common words."""

    name = "texts"
    modality = Modality.TEXT

    def __iter__(self):
        draw = np.random.default_rng(7)
        for number in range(60):
            label = list(TOPICS)[number % 3]
            words = [f"w{word}" for word in draw.choice(TOPICS[label], 30)]
            yield Item(f"d{number}", " ".join([*words, f"only{number}"]), label=label)

    def queries(self):
        return iter(self)

    @property
    def queries_are_items(self):
        return True


@pytest.fixture(scope="module")
def address(elasticsearch_url, elasticsearch_client):
    name = f"nearby-law-{uuid.uuid4().hex}"
    yield f"elasticsearch:{elasticsearch_url}/{name},flat"
    elasticsearch_client.indices.delete(index=list(elasticsearch_client.indices.get(index=f"{name}*")))


@pytest.fixture(scope="module")
def both(tmp_path_factory, address):
    """The same collection on disk and on the server."""
    folder = tmp_path_factory.mktemp("both")
    local = index_by_request(IndexRequest(SPACES, folder / "local"), Texts())
    served = index_by_request(IndexRequest(SPACES, folder / "served", address), Texts())
    assert (type(local), type(served)) == (LocalCollection, ServedCollection)
    return local, served


def rounded(values):
    return {name: round(value, 3) for name, value in values.items()}


def measured(found):
    return {space.spec: rounded(space.measures) for space in found.spaces}


def points(found):
    budgets = found.byte_budgets
    return (
        [(one.spec, one.bytes_per_item, round(one.value, 3), one.dominated) for one in budgets.points],
        budgets.best.spec, budgets.cheapest.spec, budgets.notes,
    )  # fmt: skip


def fusions(found):
    return [
        (one.spaces, rounded(one.alone), round(one.rrf, 2), round(one.convex, 2), round(one.oracle, 3))
        for one in found.fusion.combinations
    ]


def of(collection, specs=None, **options):
    return compare_collection(collection, specs, examples=2, options=CompareOptions(**options))


#: What is asked of a comparison of a collection: name -> call.
CALLS = {
    "measures": lambda c: (found := of(c), measured(found), found.notes, found.n_queries)[1:],
    "letters": lambda c: of(c).significance["P@10"].letters,
    "by known items": lambda c: measured(of(c, judged_by="known-item")),
    "by agreement": lambda c: of(c, judged_by="agreement").n_queries,
    "equal bytes": lambda c: points(of(c, ["tfidf+lsa:16", "tfidf+lsa:16+binarize"], budgets=(2, 8, 16))),
    "equal bytes of all spaces": lambda c: points(of(c, budgets=(4, 16))),
    "equal bytes by known items": lambda c: points(
        of(c, ["tfidf+lsa:16"], budgets=(8,), judged_by="known-item")
    ),
    "equal bytes of words alone": lambda c: points(of(c, ["bm25"], budgets=(8,))),
    "fewer bytes than a code has": lambda c: points(of(c, ["tfidf+lsa:16+binarize"], budgets=(1,))),
    "equal bytes by agreement": lambda c: points(of(c, budgets=(8,), judged_by="agreement")),
    "fusion": lambda c: fusions(of(c, fusion=True)),
    "fusion of one space": lambda c: fusions(of(c, ["bm25"], fusion=True)),
    "health": lambda c: [
        (one.spec, round(one.quality, 3), sorted(finding.check.name for finding in one.findings))
        for one in of(c, health=True).health.spaces
    ],
    "health by itself": lambda c: [
        (one.spec, str(one.level), round(one.quality, 3)) for one in health(*read_spaces(c.folder, None, None)).spaces
    ],
    "seeds": lambda c: of(c, seeds=2),
    "an unknown space": lambda c: of(c, ["bm52"]),
    "a rung that is not there": lambda c: of(c, judged_by="qrels"),
}  # fmt: skip


def outcome(call, collection):
    try:
        found = call(collection)
    except NearbyError as error:
        return type(error), str(error).replace(str(collection.folder), "FOLDER")
    return str(found).replace(str(collection.folder), "FOLDER"), None


@pytest.mark.parametrize("name", CALLS)
def test_a_comparison_says_the_same(both, name):
    mine, its = (outcome(CALLS[name], collection) for collection in both)
    assert mine == its


def test_saved_weights_are_used_by_search(both):
    """Saved with the folder of either kind, read again, and refused where a space has changed."""
    answers = []
    for collection in both:
        found = of(collection, fusion=True)
        said = save_weights(collection, found)
        assert said.endswith(f"nearby search {collection.folder} QUERY --fuse saved")
        kept = SavedFusion.load(open_collection(collection.folder))
        assert kept.weights == found.fusion.whole.weights
        done = CliRunner().invoke(
            cli.app, ["search", str(collection.folder), "w1 w20 w33", "--fuse", "saved", "--json", "-k", "5"]
        )
        assert done.exit_code == 0, done.output
        answer = json.loads(done.stdout)
        answers.append([(hit["id"], round(hit["score"], 2)) for hit in answer["hits"]])
        assert len(answers[-1]) == 5
        weights = dict(answer["fusion"]["weights"])
        assert weights == kept.weights
    weights = {collection: SavedFusion.load(collection).weights for collection in both}
    assert len({str(one) for one in weights.values()}) == 1
    assert answers[0] == answers[1]


@pytest.mark.parametrize("words", [["--save-fusion"], ["--bytes", "8,16"], ["--health"]])
def test_the_command_takes_both(both, words, tmp_path):
    for collection in both:
        done = CliRunner().invoke(cli.app, ["compare", str(collection.folder), *words, "-o", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        assert (tmp_path / "out" / "report.html").exists()
