"""The health of spaces of any kind: findings, remedies, honest claims, refusals in one sentence."""

import json

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import BadItemError, CorpusError, OptionError, UnknownNameError
from encoders.registry import create
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.checks import Level
from retrieval.evaluation.health.trials import Gain, Trial, gain_of
from retrieval.evaluation.significance import Interval
from retrieval.experiment.compare import compare
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.health.health import health
from retrieval.experiment.health.result import Finding
from retrieval.experiment.health.sample import HealthSample, sample_on_rung
from retrieval.report.health_text import remedy_text, shown
from retrieval.report.html.comparison import page
from retrieval.report.html.health import health_data
from retrieval.report.json import to_json
from retrieval.report.terminal.health import health_lines, health_values

RNG = np.random.default_rng(0)


class Given(Corpus):
    """Items in memory, with queries and judgements if there are any."""

    def __init__(self, items, modality=Modality.VECTOR, queries=(), qrels=None):
        self.name, self.modality = "given", modality
        self._items, self._queries, self._qrels = items, queries, qrels

    def __iter__(self):
        return iter(self._items)

    def queries(self):
        return iter(self._queries or (self._items if self.queries_are_items else ()))

    def qrels(self):
        return self._qrels

    @property
    def queries_are_items(self):
        return not self._queries


def vectors(rows, labels=None):
    labels = [None] * len(rows) if labels is None else labels
    return Given(
        [
            Item(str(n), row.astype(np.float32), label=label)
            for n, (row, label) in enumerate(zip(rows, labels, strict=True))
        ]
    )


def of(corpus, spec, **more):
    (space,) = health(corpus, [create(spec)], **more).spaces
    return space


def value(space, check):
    return next(finding for finding in space.findings if finding.check is check)


CLASSES = np.repeat(np.arange(3), 40)
CLOUDS = RNG.normal(size=(3, 12))[CLASSES] * 2 + RNG.normal(size=(120, 12))
LABELS = [f"class {n}" for n in CLASSES]


def test_every_check_is_there_in_its_order():
    space = of(vectors(CLOUDS, LABELS), "vectors")
    assert [finding.check for finding in space.findings] == list(checks.CHECKS)
    assert all(finding.text for finding in space.findings if finding.value is None)
    assert all(np.isfinite(finding.value) for finding in space.findings if finding.value is not None)


def test_a_large_common_vector_is_found_and_centring_removes_it():
    shifted = CLOUDS + 60
    space = of(vectors(shifted, LABELS), "vectors:metric=cosine")
    found = value(space, checks.ANISOTROPY)
    assert found.level is Level.POOR
    centring = next(trial for trial in space.trials if trial.name == "centring")
    assert abs(centring.values[checks.ANISOTROPY.name]) < 0.1 < found.value
    assert found.remedy is not None
    assert "→" in remedy_text(found, "P@10")


def test_a_remedy_is_measured_on_queries_that_did_not_choose_it():
    rows = np.concatenate([CLOUDS, 400 * RNG.normal(size=(120, 1))], axis=1)  # one noisy component hides the classes
    space = of(vectors(rows, LABELS), "vectors")
    assert space.chosen is not None
    assert space.chosen.gain.queries == 60
    assert space.chosen.gain.verdict is Verdict.BETTER
    assert space.chosen.gain.interval.low > 0


def test_copies_of_one_query_show_no_gain():
    items = [Item(str(n), row.astype(np.float32)) for n, row in enumerate(CLOUDS + 60)]
    queries = [Item(f"q{n}", (CLOUDS[0] + 60).astype(np.float32)) for n in range(40)]
    qrels = {query.id: {str(n): 1 for n in range(1, 40)} for query in queries}
    found = health(Given(items, queries=queries, qrels=qrels), [create("vectors:metric=cosine")])
    gains = [trial.gain for trial in found.spaces[0].trials if trial.gain is not None]
    assert max(abs(gain.difference) for gain in gains) > 0.05  # a difference on all 40, which are one
    assert {gain.verdict for gain in gains} == {Verdict.CANNOT_TELL}


def test_a_remedy_that_makes_answers_worse_is_not_advised():
    """It was: "try centring: ... worse; add +pca:64,metric=cosine"."""
    worse, better = (
        Gain(0.5, 0.5 + by, by, Interval(by - 0.01, by + 0.01), 100, verdict)
        for by, verdict in ((-0.1, Verdict.WORSE), (0.1, Verdict.BETTER))
    )
    trials = [Trial("centring", "", "+pca:4", {checks.ANISOTROPY.name: 0.1}, gain=gain) for gain in (worse, better)]
    found = [Finding(checks.ANISOTROPY, 0.9, level=Level.WATCH, remedy=trial) for trial in trials]
    bad, good = (remedy_text(one, "P@10") for one in found)
    assert bad.startswith("centring was tried: 0.90 → 0.10, P@10 -0.100")
    assert bad.endswith("worse)")
    assert good.startswith("try centring: 0.90 → 0.10")
    assert good.endswith("; add +pca:4")


def test_a_difference_below_three_decimals_is_no_claim():
    before = np.full(50, 0.5)
    assert gain_of(before, before + 0.0003).verdict in (Verdict.EQUIVALENT, Verdict.CANNOT_TELL)
    worse = gain_of(before, before - 0.3 + RNG.normal(size=50) * 0.01)
    assert worse.verdict is Verdict.WORSE
    assert worse.interval.high < 0


def test_the_order_of_the_corpus_changes_no_value():
    clusters = np.eye(3)[CLASSES] * 5 + np.round(RNG.random((120, 3)))
    order = RNG.permutation(120)
    first = of(vectors(clusters, LABELS), "vectors")
    second = of(vectors(clusters[order], [LABELS[at] for at in order]), "vectors")
    assert first.quality == pytest.approx(second.quality)
    for check in (checks.HUBNESS, checks.ANTIHUBS, checks.EXACT, checks.CONTRAST):
        assert value(first, check).value == pytest.approx(value(second, check).value, abs=1e-9)


def test_sparse_and_binary_spaces_say_what_does_not_apply():
    texts = [f"word{n % 7} word{n % 5} word{n % 11} thing{n}" for n in range(60)]
    corpus = Given([Item(str(n), text, label=str(n % 7)) for n, text in enumerate(texts)], Modality.TEXT)
    sparse = of(corpus, "tfidf")
    assert value(sparse, checks.NEAR_CONSTANT).text == "most words are rare"
    assert {trial.name for trial in sparse.trials} >= {"csls", "mutual proximity", "fewer components"}
    binary = of(vectors(CLOUDS, LABELS), "vectors+binarize")
    assert {trial.name for trial in binary.trials} == {"csls", "mutual proximity"}
    assert value(binary, checks.TWO_NN).value is None


def test_an_asymmetric_space_is_asked_by_its_query_codes():
    texts = [f"word{n % 7} word{n % 7} word{n % 5} word{n % 11}" for n in range(60)]
    corpus = Given([Item(str(n), text, label=str(n % 7)) for n, text in enumerate(texts)], Modality.TEXT)
    encoder = create("bm25")
    sample = HealthSample.of(corpus)
    (space,) = health(corpus, [encoder]).spaces
    index_quality = compare(corpus, ["bm25"], examples=0).spaces[0].measures["P@10"]
    assert len(sample.items) == 60
    assert space.quality == pytest.approx(index_quality, abs=1e-6)


@pytest.mark.parametrize("spec", ["pixels", "pixels+pca:8", "pixels+pca:16+binarize", "pixels+kmeans:10"])
def test_the_quality_is_that_of_compare(spec):
    corpus = Given([item for n, item in enumerate(open_corpus("digits")) if n < 200], Modality.IMAGE)
    assert of(corpus, spec).quality == pytest.approx(
        compare(corpus, [spec], examples=0).spaces[0].measures["P@10"], abs=1e-6
    )


def test_queries_with_judgements_are_measured_by_ndcg_and_far_ones_are_found():
    items = [Item(str(n), row.astype(np.float32)) for n, row in enumerate(CLOUDS)]
    queries = [Item(f"q{n}", (CLOUDS[n] + 500).astype(np.float32)) for n in range(30)]
    qrels = {f"q{n}": {str(n): 1, str(n + 1): 2} for n in range(30)}
    found = health(Given(items, queries=queries, qrels=qrels), [create("vectors")], sample=50)
    assert (found.judged_by, found.measure, found.n_queries) == ("qrels", "nDCG@10", 30)
    assert value(found.spaces[0], checks.FAR_QUERIES).value == 1
    assert value(found.spaces[0], checks.FAR_QUERIES).level is Level.POOR


def test_queries_whose_documents_are_missing_are_left_out_and_counted():
    items = [Item(str(n), row.astype(np.float32)) for n, row in enumerate(CLOUDS)]
    queries = [Item(f"q{n}", (CLOUDS[n] + 0.01).astype(np.float32)) for n in range(30)]
    qrels = {f"q{n}": {str(n) if n < 20 else f"gone{n}": 1} for n in range(30)}
    found = health(Given(items, queries=queries, qrels=qrels), [create("vectors")], sample=50)
    assert found.n_queries == 20
    assert "10 queries are left out: no relevant document in the corpus." in found.notes
    assert found.spaces[0].quality > 0.9  # of the 30, it would be less than 0.67


def test_without_labels_remedies_are_measured_by_known_items_as_compare_does():
    found = health(vectors(CLOUDS), [create("vectors")])
    assert (found.judged_by, found.measure) == ("known-item", "RR@10")
    assert found.n_queries == 120
    assert any("damaged" in note or "noise" in note for note in found.notes)
    assert any(note.startswith("How far to believe this") for note in found.notes)
    assert any(trial.gain is not None for trial in found.spaces[0].trials)
    assert health_lines(found)[0].endswith("judged by known-item search")
    judged = compare(vectors(CLOUDS), ["vectors"], examples=0).spaces[0].measures["RR@10"]
    assert found.spaces[0].quality == pytest.approx(judged, abs=1e-6)


@pytest.mark.parametrize("judged_by", ["known-item", "labels"])
def test_a_small_sample_is_asked_for_items_that_are_outside_it(judged_by):
    """With known items, every query must be able to find its item, whether the sample has it or not."""
    corpus = vectors(CLOUDS, LABELS)
    searched, sample = sample_on_rung(corpus, size=30, judged_by=judged_by)
    pool = {item.id for item in [*sample.items, *sample.relevant]}
    assert len(sample.items) == 30
    if judged_by == "known-item":
        assert len(sample.queries) == len(sample.answerable) == len(list(searched)) == 120
        assert {query.id for query in sample.queries} <= pool
        assert {item.id for item in sample.items}.isdisjoint(item.id for item in sample.relevant)
    else:
        assert (sample.relevant, sample.queries) == ([], [])
    small, whole = (health(corpus, [create("vectors")], sample=size, judged_by=judged_by) for size in (30, 120))
    assert small.n_sampled == 30
    if judged_by == "known-item":  # all items are an answer to a query: the pool is the corpus
        assert small.spaces[0].quality == pytest.approx(whole.spaces[0].quality, abs=1e-6)


def test_the_passage_that_asks_is_removed_from_the_text_that_is_searched():
    draw = np.random.default_rng(2)
    texts = [" ".join(f"w{number}" for number in draw.integers(0, 200, 60)) for _ in range(40)]
    corpus = Given([Item(str(n), text) for n, text in enumerate(texts)], Modality.TEXT)
    searched, sample = sample_on_rung(corpus)
    assert sample.rung == "known-item"
    for query in sample.queries:
        whole = next(item for item in searched if item.id == query.id)
        assert query.content not in whole.content
        assert query.content in texts[int(query.id)]
    assert (sample.query_rows == -1).all()  # it is the answer


@pytest.mark.parametrize("labels", [None, LABELS])
def test_judged_items_ask(labels):
    """Health refused such a corpus: it took the labels of the items, and the measure of the judgements."""
    corpus = vectors(CLOUDS, labels)
    corpus._qrels = {str(n): {str((n + 1) % 40): 2, str((n + 2) % 40): 1} for n in range(0, 40, 2)}
    found = health(corpus, [create("vectors")])
    assert (found.judged_by, found.measure, found.n_queries) == ("qrels", "nDCG@10", 20)
    assert found.spaces[0].trials


@pytest.mark.parametrize("judged_by", ["qrels", "labels", "known-item", "agreement"])
def test_the_rung_can_be_chosen(judged_by):
    items = [Item(str(n), row.astype(np.float32), label=LABELS[n]) for n, row in enumerate(CLOUDS)]
    queries = [Item(f"q{n}", CLOUDS[n].astype(np.float32)) for n in range(30)]
    corpus = Given(items, queries=queries, qrels={f"q{n}": {str(n): 1} for n in range(30)})
    found = health(corpus, [create("vectors")], judged_by=judged_by)
    assert found.judged_by == (None if judged_by == "agreement" else judged_by)
    assert (found.spaces[0].quality is None) == (judged_by == "agreement")
    if judged_by == "agreement":
        assert "Agreement does not say what is relevant" in found.notes[0]


def test_a_rung_that_the_corpus_lacks_and_one_that_does_not_exist_are_one_sentence():
    with pytest.raises(OptionError, match="has no judgements"):
        health(vectors(CLOUDS, LABELS), [create("vectors")], judged_by="qrels")
    with pytest.raises(UnknownNameError, match="did you mean 'labels'"):
        health(vectors(CLOUDS, LABELS), [create("vectors")], judged_by="label")


def test_what_no_rung_can_measure_is_said():
    """Every item is there twice, and a damaged copy cannot say which of both it is."""
    found = health(vectors(np.repeat(CLOUDS[:30], 2, axis=0)), [create("vectors")])
    assert found.judged_by is None
    assert "No labels" in found.notes[0]
    assert "Known-item search is not possible" in found.notes[1]
    assert all(trial.gain is None for trial in found.spaces[0].trials)


@pytest.mark.parametrize(("judged_by", "measure"), [("labels", "P@10"), ("known-item", "RR@10")])
def test_the_health_of_a_comparison_is_judged_as_the_comparison(judged_by, measure):
    found = compare(
        vectors(CLOUDS, LABELS), ["vectors"], examples=0, options=CompareOptions(health=True, judged_by=judged_by)
    )
    assert (found.health.judged_by, found.health.measure) == (judged_by, measure)
    assert found.health.spaces[0].quality == pytest.approx(found.spaces[0].measures[measure], abs=1e-6)


def test_codes_of_independent_components_are_watched_and_not_poor():
    """Their dimension is that of chance, as it is meant to be."""
    noise = of(vectors(RNG.normal(size=(200, 16)), ["a", "b"] * 100), "vectors")
    for check in (checks.TWO_NN, checks.MLE):
        assert value(noise, check).value == pytest.approx(value(noise, check).chance, rel=0.2)
        assert value(noise, check).level is not Level.POOR


def test_the_chance_level_is_of_several_shuffles_and_says_its_spread():
    found = value(of(vectors(CLOUDS, LABELS), "vectors"), checks.HUBNESS)
    low, high = found.chance_range
    assert low < found.chance < high
    assert found.text.startswith(f"5 shuffles {low:.2f} to {high:.2f}; random lists ")
    assert not any("…" in line for line in health_lines(health(vectors(CLOUDS, LABELS), [create("vectors")])))
    means = [value(of(vectors(CLOUDS, LABELS), "vectors", seed=10 * n), checks.HUBNESS).chance for n in range(4)]
    assert np.ptp(means) < high - low  # steadier than one shuffle


def test_a_space_fitted_on_labels_is_not_measured_by_them():
    words = [f"{label.split()[1]} common{n % 3} thing{n}" for n, label in enumerate(LABELS)]
    corpus = Given(
        [Item(str(n), text, label=label) for n, (text, label) in enumerate(zip(words, LABELS, strict=True))],
        Modality.TEXT,
    )
    assert of(corpus, "bow:stop=none+select:2,criterion=chi2").quality is None


def test_the_discriminator_is_trained_where_it_is_asked_for():
    space = of(vectors(CLOUDS, LABELS), "vectors", train=True)
    found = value(space, checks.DISCRIMINATOR)
    assert 0 <= found.value < 2
    assert "nats" in found.text


def test_duplicates_name_a_pair():
    rows = CLOUDS.copy()
    rows[7] = rows[3]
    corpus = Given([Item(str(n), f"text{n % 20} only{n}") for n in range(40)], Modality.TEXT)
    assert value(of(vectors(rows, LABELS), "vectors"), checks.EXACT).text.startswith("besides")  # the same content
    assert value(of(corpus, "bow:stop=none,min-df=2"), checks.EXACT).text.startswith("e.g. @")


@pytest.mark.parametrize(
    ("corpus", "error", "words"),
    [
        (vectors(CLOUDS[:0]), CorpusError, "holds no items"),
        (vectors(CLOUDS[:1]), BadItemError, "holds 1 item:"),
        (vectors(CLOUDS[:9]), BadItemError, "needs at least 20"),
    ],
)
def test_too_few_items_are_one_sentence(corpus, error, words):
    with pytest.raises(error, match=words):
        HealthSample.of(corpus)


def test_a_sample_out_of_range_and_no_space_are_one_sentence():
    with pytest.raises(OptionError, match="all pairs"):
        health(vectors(CLOUDS), [create("vectors")], sample=6000)
    with pytest.raises(OptionError, match="at least one space"):
        health(vectors(CLOUDS), [])


def test_items_that_are_all_alike_are_one_sentence():
    space = of(vectors(np.ones((30, 4))), "vectors")
    assert space.reason == "all 30 sampled items have the same code"
    assert space.level is Level.POOR


def test_a_space_that_answers_nothing_is_one_sentence():
    corpus = Given([Item(str(n), f"alone{n}") for n in range(30)], Modality.TEXT)
    found = health(corpus, [create("tfidf")])
    assert "answers nothing" in found.spaces[0].reason
    assert found.level is Level.POOR
    assert any("answers nothing" in line for line in health_lines(found))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_one_component_is_no_error(metric):
    space = of(vectors(CLOUDS[:, :1], LABELS), f"vectors:metric={metric}")
    assert not space.reason
    assert all(np.isfinite(one.value) for one in space.findings if one.value is not None)


@pytest.mark.parametrize("scale", [1e-18, 1e17])
def test_tiny_and_huge_numbers_have_the_values_of_moderate_ones(scale):
    here, there = of(vectors(CLOUDS, LABELS), "vectors"), of(vectors(CLOUDS * scale, LABELS), "vectors")
    for check in (checks.HUBNESS, checks.TWO_NN, checks.CONTRAST, checks.EFFECTIVE_RANK):
        assert value(here, check).value == pytest.approx(value(there, check).value, rel=1e-3)


def test_outputs_fit_and_hold_the_same_numbers():
    found = health(vectors(CLOUDS, LABELS), [create("vectors"), create("vectors+pca:2")])
    for verbose in (False, True):
        assert all(len(line) <= 100 for line in health_lines(found, verbose))
    written = json.loads(json.dumps(health_values(found), allow_nan=False))
    finding = value(found.spaces[0], checks.HUBNESS)
    assert written["spaces"][0]["findings"]["hubness"]["value"] == pytest.approx(finding.value, rel=1e-4)
    assert any(shown(checks.HUBNESS, finding.value) in line for line in health_lines(found))
    section = health_data(found, "c1")
    assert section["rows"][0]["name"] == "hubness"


def test_compare_shows_the_health_where_it_is_asked_for():
    corpus = vectors(CLOUDS, LABELS)
    without = compare(corpus, ["vectors"], examples=0)
    assert without.health is None
    assert "Are the spaces healthy?" not in page([without])
    found = compare(corpus, ["vectors", "vectors+pca:2"], examples=0, options=CompareOptions(health=True))
    assert [space.spec for space in found.health.spaces] == ["vectors", "vectors+pca:2"]
    assert "Are the spaces healthy?" in page([found])
    assert to_json(found)["health"]["spaces"][0]["spec"] == "vectors"
