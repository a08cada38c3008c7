"""Tuning: measured against the truth, honest about small samples, the same on disk and on a server, and it writes nothing."""

import json

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import BadItemError, OptionError, UnknownNameError
from encoders.registry import create
from indexers.registry import create_index
from retrieval.collection.indexing import index_corpus
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.significance import Interval
from retrieval.experiment.tuning.queries import Queries, recall_of
from retrieval.experiment.tuning.result import Reach, Recall, Setting, Tuning
from retrieval.experiment.tuning.settings import builds_for, n_lists
from retrieval.experiment.tuning.speed import Alternation, Speed
from retrieval.experiment.tuning.tuning import measured, tune
from retrieval.report.terminal.tuning import advice, command, tuning_lines, tuning_values

RNG = np.random.default_rng(0)
DENSE = Space(16, Kind.DENSE, Metric.EUCLIDEAN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("tuning") / "digits"
    index_corpus(place, open_corpus("digits"), ["pixels", "pixels+pca:16+binarize"])
    return place


@pytest.fixture(scope="module")
def found(folder):
    with LocalCollection(folder) as collection:
        return tune(collection, "pixels", 0.9, sample=300)


def asked(codes, own=None, k=10):
    exact = create_index("exact", DENSE)
    exact.add([str(n) for n in range(1000)], CODES)
    rows = np.full(len(codes), -1) if own is None else own
    return Queries.of(exact, codes, rows, {"items": slice(0, len(codes))}, k)


CODES = RNG.standard_normal((1000, 16)).astype(np.float32)


def setting(recall=1.0, low=1.0, high=1.0, speed=1.0, size=4.0, index="x"):
    return Setting(index, {"items": Recall(recall, Interval(low, high))}, 100.0, speed, size, 0.1)


def tuning(*settings, max_bytes=None):
    return Tuning("c", "pixels", "exact", 1000, 1000, 10, {"items": 50}, 0.9, max_bytes, list(settings))


def test_recall_is_the_share_of_the_true_neighbours_found():
    queries = asked(CODES[:60], np.arange(60))
    index = create_index("faiss:IVF16,Flat?nprobe=3", DENSE)
    index.fit(CODES).add([str(n) for n in range(1000)], CODES)
    distances = ((CODES[:60, None].astype(float) - CODES[None]) ** 2).sum(-1)
    distances[np.arange(60), np.arange(60)] = np.inf  # an item does not find itself
    true = np.argsort(distances, axis=1)[:, :10]
    rows = index.search_rows(CODES[:60], 11).rows
    mine = [[row for row in some if row != query][:10] for query, some in enumerate(rows.tolist())]
    expected = np.mean([len(set(some) & set(best)) / 10 for some, best in zip(mine, true.tolist(), strict=True)])
    assert 0 < expected < 1
    assert queries.recalls(index)["items"].mean == pytest.approx(expected)


def test_ties_cost_no_recall():
    space = Space(16, Kind.BINARY, Metric.HAMMING)
    bits = RNG.integers(0, 256, (500, 2), dtype=np.uint8)
    exact, other = create_index("exact", space), create_index("faiss:BHNSW32?efSearch=500", space)
    exact.add([str(n) for n in range(500)], bits)
    other.add([str(n) for n in range(500)], bits)
    queries = Queries.of(exact, bits[:50], np.arange(50), {"items": slice(0, 50)}, 5)
    assert queries.recalls(other)["items"].mean == 1
    assert not np.array_equal(exact.search_rows(bits[:50], 5).rows, other.search_rows(bits[:50], 5).rows)


def test_answers_that_are_missing_cost_recall():
    space = Space(16, Kind.BINARY, Metric.HAMMING)
    bits = RNG.integers(0, 256, (500, 2), dtype=np.uint8)
    exact, table = create_index("exact", space), create_index("faiss:BHash16?nflip=0", space)
    exact.add([str(n) for n in range(500)], bits)
    table.add([str(n) for n in range(500)], bits)
    assert Queries.of(exact, bits[:50], np.arange(50), {"items": slice(0, 50)}, 5).recalls(table)["items"].mean < 0.2


def test_the_recommended_setting_is_the_fastest_that_reaches_the_recall(found):
    chosen = found.recommended
    assert chosen.reaches(0.9) is Reach.YES
    assert all(one.speed <= chosen.speed for one in found.settings if one.reaches(0.9) is Reach.YES)
    assert found.settings[0].index == "exact"
    assert found.settings[0].recall == 1
    assert chosen.index == "exact" or chosen in found.best


def test_a_setting_that_another_beats_in_everything_is_not_best():
    small, slow, both = setting(size=2.0), setting(speed=0.5, size=2.0), setting(speed=2.0, size=2.0, index="y")
    assert tuning(small, slow, both).best == [both]
    assert tuning(setting(), setting()).best == [setting()] * 2


def test_a_sample_that_is_too_small_is_said():
    likely = setting(0.93, 0.88, 0.96, speed=9.0, index="faiss:HNSW32?efSearch=16")
    result = tuning(setting(index="exact"), likely)
    assert result.recommended.index == "exact"
    assert result.undecided is likely
    assert any("the sample is too small to tell" in line for line in advice(result))
    assert "0.930?" in "\n".join(tuning_lines(result))


def test_few_queries_without_a_miss_prove_little():
    assert recall_of([1.0] * 20).interval.low < 0.9 < recall_of([1.0] * 200).interval.low
    assert recall_of([1.0] * 20, is_exact=True).interval.low == 1


def test_the_lowest_group_decides():
    both = {"items": Recall(1.0, Interval(1.0, 1.0)), "queries": Recall(0.5, Interval(0.4, 0.6))}
    one = Setting("x", both, 1.0, 1.0, 1.0, 1.0)
    assert (one.recall, one.reaches(0.9)) == (0.5, Reach.NO)


def test_bytes_limit_what_is_recommended():
    large, small = setting(speed=9.0, size=100.0), setting(speed=2.0, size=8.0, index="small")
    assert tuning(large, small, max_bytes=10).recommended is small
    assert "No index fits within 1 bytes" in next(advice(tuning(large, small, max_bytes=1)))


def test_the_command_indexes_what_was_recommended(folder, found):
    words = command(found)
    assert words is None or words[:5] == ["nearby", "index", str(folder), "-s", "pixels"]
    assert command(tuning(setting(index="exact"))) is None  # the space has it
    faster = setting(speed=2.0, index="faiss:IVF32,Flat?nprobe=4")
    assert command(tuning(faster))[-4:] == ["--index", faster.index, "-o", "c-tuned"]


def test_nothing_is_written(folder):
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    with LocalCollection(folder) as collection:
        result = tune(collection, "pixels+pca:16+binarize", sample=50)
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
    assert any(one.index.startswith("faiss:BHash") for one in result.settings)


def test_the_report_fits_a_terminal_and_json(found):
    lines = tuning_lines(found)
    assert max(map(len, lines[:-1])) <= 100  # the command is in one line, to be copied
    assert not any("…" in line for line in lines)
    values = json.loads(json.dumps(tuning_values(found)))
    assert values["recommended"] == found.recommended.index
    assert [one["index"] for one in values["settings"]] == [one.index for one in found.settings]


@pytest.mark.parametrize(
    ("wanted", "spec", "k", "error", "text"),
    [
        (0.0, "pixels", 10, OptionError, "above 0 and at most 1"),
        (1.5, "pixels", 10, OptionError, "above 0 and at most 1"),
        (float("nan"), "pixels", 10, OptionError, "above 0 and at most 1"),
        (0.9, "pixel", 10, UnknownNameError, "unknown space"),
        (0.9, "pixels", 1797, OptionError, "at most 1,796"),
    ],
)
def test_what_cannot_be_is_one_sentence(folder, wanted, spec, k, error, text):
    with LocalCollection(folder) as collection, pytest.raises(error, match=text):
        tune(collection, spec, wanted, k)


def test_one_item_and_sparse_spaces_have_nothing_to_tune(tmp_path):
    (tmp_path / "one.jsonl").write_text('{"_id": "1", "text": "pear plum"}\n')
    collection = index_corpus(tmp_path / "one", open_corpus(str(tmp_path / "one.jsonl")), ["bm25"])
    with pytest.raises(OptionError, match=r"nothing to tune for 'bm25.*codes are sparse"):
        tune(collection, "bm25")
    np.save(tmp_path / "one.npy", CODES[:1])
    alone = index_corpus(tmp_path / "alone", open_corpus(str(tmp_path / "one.npy")), ["vectors"])
    with pytest.raises(BadItemError, match="holds 1 item, which has no neighbour"):
        tune(alone, "vectors")


@pytest.mark.parametrize("n_items", [2, 30, 400, 3000, 12_000, 1_000_000])
@pytest.mark.parametrize("dim", [1, 7, 16, 784])
@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.EUCLIDEAN, Metric.HAMMING])
def test_every_setting_can_be_built(n_items, dim, metric):
    kind = Kind.BINARY if metric is Metric.HAMMING else Kind.DENSE
    builds = builds_for(Space(dim, kind, metric), n_items)
    assert builds[0].backend in {"Flat", "BFlat"}
    for build in builds:
        for sequence in build.searches:
            for parameters in sequence:
                create_index(build.description(parameters), Space(dim, kind, metric)).close()
    assert n_lists(n_items) * 39 <= n_items


def test_a_sequence_ends_when_the_recall_is_reached():
    queries = asked(CODES[:200], np.arange(200))
    speeds = Alternation(queries.exact, queries.codes, 10)
    (build,) = (one for one in builds_for(DENSE, 1000) if one.backend.startswith("IVF16,Flat"))
    made = list(measured(build, DENSE, [str(n) for n in range(1000)], CODES, queries, speeds, 0.3))
    assert made[-1].reaches(0.3) is Reach.YES or made[-1].speed < 1
    assert all(one.reaches(0.3) is not Reach.YES for one in made[:-1])


@pytest.fixture
def lists_are_fast(monkeypatch):
    """Speeds that do not depend on the machine: lists are the fastest, then graphs."""
    ratios = {"IVF": 9.0, "HNS": 4.0}

    def speed(self, index):
        backend = index.description.partition(":")[2]
        return Speed(100.0, 1.0 if not backend else ratios.get(backend[:3], 0.5) if "RaBitQ" not in backend else 0.5)

    monkeypatch.setattr(Alternation, "speed", speed)


def test_a_large_collection_is_compared_by_a_sample_and_confirmed_by_all_items(folder, lists_are_fast):
    said: list[str] = []
    with LocalCollection(folder) as collection:
        result = tune(collection, "pixels", 0.9, sample=200, items=900, say=said.append)
        every = tune(collection, "pixels", 0.9, sample=200, items=1797)
    assert (result.n_items, result.n_sampled, every.n_sampled, every.confirmed) == (1797, 900, 1797, [])
    assert {n_lists(900), n_lists(1797)} == {16, 32}
    assert all("IVF32" not in one.index for one in result.settings)
    assert any("IVF16" in one.index for one in result.settings)
    assert result.confirmed[0].index == "exact"
    assert {one.index.partition("?")[0] for one in result.confirmed[1:]} == {"faiss:IVF32,Flat"}
    assert result.recommended is result.confirmed[-1]
    assert result.recommended.recall == next(
        one.recall for one in every.settings if one.index == result.recommended.index
    )
    assert command(result)[-3] == result.recommended.index
    assert "building IVF32,Flat of 1,797 items" in said
    lines = "\n".join(tuning_lines(result))
    assert "900 random items of 1,797 (--items), 200 items as queries" in lines
    assert "reaches 0.9 there, on all 1,797 items" in lines.replace("\n", " ")
    values = json.loads(json.dumps(tuning_values(result)))
    assert (values["n_items"], values["n_sampled"]) == (1797, 900)
    assert values["confirmed"][-1]["index"] == values["recommended"]


def test_where_a_kind_finds_less_in_all_items_the_next_one_is_built(folder, lists_are_fast, monkeypatch):
    recalls = Queries.recalls

    def fewer(self, index):
        found = recalls(self, index)
        if len(index) == 1797 and "IVF" in index.description:
            return {name: Recall(0.1, Interval(0.0, 0.2)) for name in found}
        return found

    monkeypatch.setattr(Queries, "recalls", fewer)
    with LocalCollection(folder) as collection:
        result = tune(collection, "pixels", 0.9, sample=200, items=900)
    assert result.recommended.index.startswith("faiss:HNSW32")
    assert any("IVF32" in one.index for one in result.confirmed)


def test_where_nothing_is_fast_exact_search_is_recommended_for_all_items(folder, monkeypatch):
    monkeypatch.setattr(
        Alternation, "speed", lambda self, index: Speed(100.0, 1.0 if ":" not in index.description else 0.5)
    )
    with LocalCollection(folder) as collection:
        result = tune(collection, "pixels", 0.9, sample=200, items=900)
    assert [one.index for one in result.confirmed] == ["exact"]
    assert result.recommended.index == "exact"
    assert "there, on all" not in "\n".join(tuning_lines(result))


def test_a_sample_has_more_items_than_neighbours(folder):
    with LocalCollection(folder) as collection, pytest.raises(OptionError, match=r"--items 10 is not more than -k 10"):
        tune(collection, "pixels", items=10)


def test_own_queries_ask_too(tmp_path):
    words = "river bank money loan water boat fish rate credit stream".split()
    texts = [" ".join(RNG.choice(words, 8)) for _ in range(80)]
    (tmp_path / "c").mkdir()
    lines = [json.dumps({"_id": f"d{n}", "text": text}) for n, text in enumerate(texts)]
    (tmp_path / "c" / "corpus.jsonl").write_text("\n".join(lines))
    (tmp_path / "c" / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "river boat"}) + "\n")
    (tmp_path / "c" / "qrels").mkdir()
    (tmp_path / "c" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td3\t1\n")
    made = index_corpus(tmp_path / "index", open_corpus(str(tmp_path / "c")), ["tfidf+lsa:6"])
    result = tune(made, "tfidf+lsa:6", sample=40)
    assert result.n_queries == {"items": 40, "queries": 1}
    assert "40 items and 1 query of the corpus as queries" in "\n".join(tuning_lines(result))


def test_created_encoders_are_not_fitted_again(folder, monkeypatch):
    monkeypatch.setattr(type(create("pixels")), "fit", None)
    with LocalCollection(folder) as collection:
        assert tune(collection, "pixels", sample=20).recommended is not None
