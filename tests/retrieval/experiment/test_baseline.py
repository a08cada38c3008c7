"""A comparison beside an earlier one: what is a loss, what is refused, and that nothing is done before it is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from encoders.errors import ArtifactError, CollectionError, NearbyError, OptionError
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.significance import randomisation_test
from retrieval.experiment.baseline_file import read_baseline
from retrieval.experiment.compare import compare
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.loss_gate import require_tested
from retrieval.experiment.query_set import CorpusWithout
from retrieval.report.comparison_file import comparison_document, write_comparison

ROOT = Path(__file__).parents[3]
SPACES = ["vectors", "vectors+pca:4"]


def table(folder: Path, order=None, noise: float = 0.0, count: int = 120) -> str:
    """Vectors in four classes; more noise is a worse space."""
    rng = np.random.default_rng(5)
    labels = np.arange(count) % 4
    points = rng.normal(size=(count, 6)) + np.eye(4, 6)[labels] * 2 + noise * rng.normal(size=(count, 6))
    order = np.arange(count) if order is None else order
    folder.mkdir(exist_ok=True)
    np.savez(
        folder / "v.npz", vectors=points.astype(np.float32)[order], labels=labels[order].astype(str),
        ids=np.array([f"v{n}" for n in order]),
    )  # fmt: skip
    return str(folder / "v.npz")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = tmp_path_factory.mktemp("before")
    found = compare(open_corpus(table(folder)), SPACES, examples=1)
    return found, write_comparison(found, folder / "comparison.json")


class Unfittable(CorpusWithout):
    """A corpus that no encoder can be fitted on."""

    def __init__(self, corpus):
        super().__init__(corpus, frozenset())

    @property
    def queries_are_items(self):
        return True

    def queries(self):
        return iter(self)

    def batches_for(self, encoder):
        raise AssertionError(f"{encoder} is fitted")


def worse(comparison, lost: np.ndarray, label: str = "vectors"):
    """The same comparison in which a space has lost P@10 on some queries."""
    spaces = [
        replace(space, per_query={**space.per_query, "P@10": space.per_query["P@10"] - lost})
        if space.label == label
        else space
        for space in comparison.spaces
    ]
    return replace(comparison, spaces=spaces)


def test_the_same_comparison_has_not_changed(before):
    found, path = before
    changes = read_baseline(path).changes(found)
    assert {(change.space, change.measure) for change in changes} == {
        (space, measure) for space in SPACES for measure in found.spaces[0].measures
    }
    assert all(change.difference == 0 and change.verdict is Verdict.EQUIVALENT for change in changes)


def test_the_order_of_the_corpus_changes_nothing(before, tmp_path):
    _, path = before
    order = np.random.default_rng(1).permutation(120)
    baseline = read_baseline(path)
    found = compare(
        open_corpus(table(tmp_path, order)), ["vectors"], examples=0, options=CompareOptions(baseline=baseline)
    )
    assert [query.id for query in found.query_set.queries] != baseline.queries
    assert all(abs(change.difference) < 1e-12 and not change.is_loss for change in baseline.changes(found))


def test_a_loss_on_most_queries_is_significant_and_a_gain_is_none(before):
    found, path = before
    lost = np.where(np.arange(120) % 3 > 0, 0.1, 0.0)
    fallen, steady = read_baseline(path).changes(worse(found, lost), ["P@10"])
    assert (fallen.space, fallen.verdict, fallen.is_loss) == ("vectors", Verdict.WORSE, True)
    assert fallen.difference == pytest.approx(-lost.mean())
    assert fallen.interval.low < fallen.difference < fallen.interval.high < 0
    assert not steady.is_loss
    risen, _ = read_baseline(path).changes(worse(found, -lost), ["P@10"])
    assert risen.verdict is Verdict.BETTER
    assert risen.interval.low > 0
    assert not risen.is_loss


def test_a_loss_that_may_be_chance_is_none_and_says_what_could_be_seen(before):
    found, path = before
    lost = np.random.default_rng(0).choice([-0.1, 0.1], 120)
    change = read_baseline(path).changes(worse(found, lost), ["P@10"])[0]
    assert change.verdict is Verdict.CANNOT_TELL
    assert change.detectable > 0.01


def test_the_test_of_one_space_is_the_paired_randomisation_test(before):
    found, path = before
    lost = np.random.default_rng(2).choice([-0.1, 0.1, 0.1], 120)
    alone = replace(found, spaces=found.spaces[:1])
    (change,) = read_baseline(path).changes(worse(alone, lost), ["P@10"])
    wanted = randomisation_test(found.spaces[0].per_query["P@10"] - lost, found.spaces[0].per_query["P@10"])
    assert change.p_value == pytest.approx(wanted, abs=0.01)


def test_queries_that_answer_each_other_count_as_in_the_table(before):
    """The influence of items as answers is part of the test: a change of it alone widens the interval."""
    found, path = before
    baseline, lost = read_baseline(path), np.where(np.arange(120) % 3 > 0, 0.1, 0.0)
    assert found.spaces[0].influence["P@10"].any()
    plain = baseline.changes(worse(found, lost), ["P@10"])[0]
    moved = replace(
        found.spaces[0],
        influence={"P@10": found.spaces[0].influence["P@10"] + np.random.default_rng(1).normal(size=120)},
    )
    wider = baseline.changes(worse(replace(found, spaces=[moved, found.spaces[1]]), lost), ["P@10"])[0]
    assert plain.is_loss
    assert not wider.is_loss
    assert wider.interval.high - wider.interval.low > plain.interval.high - plain.interval.low


def test_several_spaces_are_tested_together(before):
    """The same loss has a wider interval when more spaces could have lost."""
    found, path = before
    lost = np.random.default_rng(2).choice([-0.1, 0.1, 0.1], 120)
    one = read_baseline(path).changes(worse(replace(found, spaces=found.spaces[:1]), lost), ["P@10"])[0]
    other = np.random.default_rng(3).choice([-0.1, 0.1], 120)
    two = read_baseline(path).changes(worse(worse(found, lost), other, SPACES[1]), ["P@10"])[0]
    assert two.interval.high - two.interval.low > one.interval.high - one.interval.low


def test_spaces_that_only_one_of_both_has_are_named(before):
    found, path = before
    renamed = replace(found.spaces[1], spec="vectors+pca:3")
    assert read_baseline(path).missing(replace(found, spaces=[found.spaces[0], renamed])) == (
        ["vectors+pca:3"], ["vectors+pca:4 @ exact"],
    )  # fmt: skip


def refused_before_any_work(monkeypatch, error, match, corpus, baseline, specs=SPACES):
    monkeypatch.setattr("retrieval.experiment.compare.indexed_spaces", lambda *_: pytest.fail("a space was fitted"))
    with pytest.raises(error, match=match):
        compare(open_corpus(corpus), specs, examples=0, options=CompareOptions(baseline=baseline))


def test_another_corpus_is_refused(before, tmp_path, monkeypatch):
    _, path = before
    baseline = read_baseline(path)
    for corpus in (table(tmp_path, noise=0.5), table(tmp_path, count=119)):
        refused_before_any_work(monkeypatch, CollectionError, "the items of '.*' differ: write", corpus, baseline)


def test_another_corpus_with_other_spaces_is_refused_as_another_corpus(before, tmp_path, monkeypatch):
    _, path = before
    refused_before_any_work(
        monkeypatch, CollectionError, "the items of '.*' differ: write", table(tmp_path, noise=0.5),
        read_baseline(path), ["vectors+pca:2"],
    )  # fmt: skip


def test_other_queries_are_refused(before, tmp_path, monkeypatch):
    _, path = before
    baseline = replace(read_baseline(path), queries_digest="0" * 64)
    refused_before_any_work(monkeypatch, CollectionError, "asked other queries", table(tmp_path), baseline)


def test_other_spaces_are_refused(before, tmp_path, monkeypatch):
    _, path = before
    refused_before_any_work(
        monkeypatch, OptionError, "holds none of the spaces vectors\\+pca:2, but vectors, vectors\\+pca:4",
        table(tmp_path), read_baseline(path), ["vectors+pca:2"],
    )  # fmt: skip


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_one_sentence(before, tmp_path, share):
    content = before[1].read_bytes()
    cut = tmp_path / "cut.json"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ArtifactError, match=r"cut\.json is cut or is not JSON: write a new baseline with -o$"):
        read_baseline(cut)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"schema_version": 2}, "has schema version 2, and this nearby reads 1"),
        ({"schema_version": None}, "is not a nearby comparison"),
        ({"queries": ["v0"]}, "a measure has no value for some query"),
        ({"queries": [1]}, "a name or id is not a string"),
        ({"spaces": [{"spec": "vectors"}]}, "it has no field 'index'"),
        ({"spaces": 3}, "is a damaged comparison"),
        ({"spaces": []}, "it has no space, or a space without measures"),
        ({"spaces": [{"spec": "vectors", "index": "exact", "per_query": {}}]}, "or a space without measures"),
        ({"corpus": 3}, "a name or id is not a string"),
    ],
)
def test_a_damaged_file_is_one_sentence(before, tmp_path, change, match):
    document = {**json.loads(before[1].read_bytes()), **change}
    (tmp_path / "damaged.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match=match):
        read_baseline(tmp_path / "damaged.json")


def test_a_value_that_is_not_a_number_is_refused(before, tmp_path):
    text = before[1].read_text().replace('"P@10": [', '"P@10": [NaN, ', 1)
    document = json.loads(text)
    for space in document["spaces"]:
        space["per_query"] = {"P@10": [float("nan")] * len(document["queries"])}
    (tmp_path / "damaged.json").write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match="a value of a measure is not a number"):
        read_baseline(tmp_path / "damaged.json")


@pytest.mark.parametrize("content", [b"[1]", b'"x"', b"\xff\xfe", b"[" * 100_000, b"{}"])
def test_any_other_file_is_one_sentence(tmp_path, content):
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"other\.json is (not a nearby comparison|cut or is not JSON)"):
        read_baseline(tmp_path / "other.json")
    with pytest.raises(ArtifactError, match=r"no baseline .*missing\.json"):
        read_baseline(tmp_path / "missing.json")
    with pytest.raises(NearbyError):
        read_baseline(tmp_path)


def nearby(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); import cli; cli.main()"
    return subprocess.run(
        [sys.executable, "-c", program, str(ROOT), *words], capture_output=True, text=True, check=False, cwd=cwd
    )


def test_the_gate_ends_with_code_3_and_says_which_space_lost(tmp_path):
    corpus = table(tmp_path)
    done = nearby("compare", corpus, "-s", "vectors", "-s", "vectors+pca:4", "-o", "before", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    good = tmp_path / "before" / "comparison.json"
    assert "for programs: before/comparison.json and per_query.parquet" in done.stderr
    passing = nearby(
        "compare", corpus, "-s", "vectors", "-o", "now", "--baseline", str(good), "--fail-on-loss", "P@10",
        "--allow-missing", cwd=tmp_path,
    )  # fmt: skip
    assert passing.returncode == 0, passing.stderr
    assert "only in the baseline, so not compared: vectors+pca:4 @ exact" in passing.stderr
    assert "since " in passing.stdout
    assert passing.stderr.splitlines()[-1] == f"no space has lost significantly on P@10 since {good}"
    assert "shown: the smallest true difference" in passing.stdout
    document = json.loads(good.read_bytes())  # an earlier state in which vectors were better on half of the queries
    values = document["spaces"][0]["per_query"]["P@10"]
    document["spaces"][0]["per_query"]["P@10"] = [value + 0.2 if at % 2 else value for at, value in enumerate(values)]
    (tmp_path / "better.json").write_text(json.dumps(document))
    gate = (
        "compare",
        corpus,
        "-s",
        "vectors",
        "--baseline",
        "better.json",
        "--json",
        "--allow-missing",
        "--fail-on-loss",
    )
    lost = nearby(*gate, "P@10", cwd=tmp_path)
    assert lost.returncode == 3
    assert lost.stderr.splitlines()[-1].startswith("nearby: vectors has lost 0.100 of P@10: ")
    (found,) = json.loads(lost.stdout)
    assert [one["verdict"] for one in found["baseline"]["changes"]] == ["worse", "equivalent", "equivalent"]
    assert nearby(*gate, "P@100", cwd=tmp_path).returncode == 0
    unknown = nearby(*gate, "nDCG@10", cwd=tmp_path)
    assert unknown.returncode == 2
    assert "has no measure 'nDCG@10': choose P@10 or P@100 or AP@100" in unknown.stderr


def test_a_gate_does_not_pass_when_a_space_of_the_baseline_is_left_out(before, tmp_path, monkeypatch):
    """A space that has become so bad that somebody takes it out of the command would pass otherwise."""
    found, path = before
    baseline, gate = read_baseline(path), CompareOptions(baseline=read_baseline(path), whole_baseline=True)
    said = (
        "has vectors\\+pca:4, and this comparison does not: .* compare -s 'vectors\\+pca:4' too, or add --allow-missing"
    )
    with monkeypatch.context() as patched:
        patched.setattr("retrieval.experiment.compare.indexed_spaces", lambda *_: pytest.fail("a space was fitted"))
        with pytest.raises(OptionError, match=said):
            compare(open_corpus(table(tmp_path)), ["vectors"], examples=0, options=gate)
    more = compare(open_corpus(table(tmp_path)), [*SPACES, "vectors+pca:2"], examples=0, options=gate)
    require_tested(baseline, baseline.changes(more), ["P@10"], more)  # a space more is none less
    for less in (
        replace(found, spaces=[found.spaces[0], replace(found.spaces[1], index="faiss:Flat")]),  # another index
        replace(found, spaces=[found.spaces[0], replace(found.spaces[1], per_query={})]),  # without the measure
    ):
        changes = baseline.changes(less)
        with pytest.raises(OptionError, match=r"has vectors\+pca:4 @ exact, .* compare them, with P@10, too"):
            require_tested(baseline, changes, ["P@10"], less)
        require_tested(baseline, changes, ["P@10"], less, allow_missing=True)
    corpus = table(tmp_path)
    words = ("compare", corpus, "-s", "vectors", "-o", "out", "--baseline", str(path), "--fail-on-loss", "P@10")
    done = nearby(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "or add --allow-missing" in done.stderr
    assert not (tmp_path / "out").exists()
    alone = nearby("compare", corpus, "-s", "vectors", "--allow-missing", cwd=tmp_path)
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "--allow-missing goes with --fail-on-loss" in alone.stderr


def test_refusals_of_the_gate_write_nothing(tmp_path):
    corpus = table(tmp_path)
    (tmp_path / "cut.json").write_text('{"schema_version": 1, "corp')
    for words, said in (
        (("-o", "out", "--baseline", "cut.json"), "cut.json is cut or is not JSON"),
        (("-o", "out", "--fail-on-loss", "P@10"), "--fail-on-loss needs --baseline"),
        (("-o", "out", "--baseline", "out/comparison.json"), "-o out would replace the baseline"),
    ):
        done = nearby("compare", corpus, "-s", "vectors", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stdout == ""
        assert not (tmp_path / "out").exists()


def test_the_document_has_every_digit(before):
    found, path = before
    read = read_baseline(path)
    for space in found.spaces:
        for measure, values in space.per_query.items():
            np.testing.assert_array_equal(read.spaces[space.spec, space.index][measure], values)
    assert comparison_document(found)["n_queries"] == 120


def test_seeds_are_part_of_the_test_and_their_number_must_be_the_same(tmp_path):
    corpus, specs = open_corpus(table(tmp_path)), ["vectors+random-projection:2"]
    three = compare(corpus, specs, examples=0, options=CompareOptions(seeds=3))
    baseline = read_baseline(write_comparison(three, tmp_path / "comparison.json"))
    assert not any(change.is_loss for change in baseline.changes(three))
    one = compare(corpus, specs, examples=0)
    with pytest.raises(OptionError, match=r"has 3 seeds of .*, and this comparison 1: compare with --seeds 3"):
        baseline.changes(one)
    with pytest.raises(OptionError, match="this comparison 2: compare with --seeds 3"):
        compare(Unfittable(corpus), specs, examples=0, options=CompareOptions(seeds=2, baseline=baseline))


def test_a_query_that_the_baseline_lacks_is_refused_before_any_fit(before, tmp_path):
    read = json.loads(before[1].read_bytes())
    read["queries"][0] = "another"
    (tmp_path / "changed.json").write_text(json.dumps(read))
    options = CompareOptions(baseline=read_baseline(tmp_path / "changed.json"))
    with pytest.raises(ArtifactError, match="it lacks the query 'v0'"):
        compare(Unfittable(open_corpus(table(tmp_path))), SPACES, examples=0, options=options)


def test_the_names_of_a_strangers_baseline_are_one_line(before, tmp_path):
    changed = {"corpus": "x\nnearby: no loss\n", "corpus_digest": "other"}
    (tmp_path / "changed.json").write_text(json.dumps({**json.loads(before[1].read_bytes()), **changed}))
    options = CompareOptions(baseline=read_baseline(tmp_path / "changed.json"))
    with pytest.raises(CollectionError) as caught:
        compare(open_corpus(table(tmp_path)), SPACES, examples=0, options=options)
    assert "\n" not in str(caught.value)


def test_a_baseline_judged_by_something_else_is_refused(tmp_path):
    corpus, specs = open_corpus(table(tmp_path)), ["vectors", "vectors+pca:2", "vectors+pca:3"]
    baseline = read_baseline(write_comparison(compare(corpus, specs, examples=0), tmp_path / "comparison.json"))
    with pytest.raises(CollectionError, match="is judged by labels, this comparison by agreement"):
        compare(corpus, specs, examples=0, options=CompareOptions(judged_by="agreement", baseline=baseline))
    with pytest.raises(OptionError, match="a loss would not be seen"):
        require_tested(baseline, [], ["P@10"], compare(corpus, specs, examples=0))


@pytest.mark.parametrize(
    "change",
    [
        lambda read: read["queries"].__setitem__(1, read["queries"][0]),
        lambda read: read["spaces"].append(read["spaces"][0]),
        lambda read: read["spaces"][0].__setitem__("spec", None),
        lambda read: read["spaces"][0]["per_query"]["P@10"].__setitem__(0, 10**400),
        lambda read: read["spaces"][0]["per_query"]["P@10"].__setitem__(0, 1e308),
        lambda read: read["spaces"][0]["per_query"]["P@10"].__setitem__(0, True),
        lambda read: read.__setitem__("schema_version", True),
    ],
)
def test_a_hostile_file_is_one_sentence(tmp_path, change):
    path = write_comparison(compare(open_corpus(table(tmp_path)), ["vectors"], examples=0), tmp_path / "hostile.json")
    read = json.loads(path.read_text())
    change(read)
    path.write_text(json.dumps(read))
    with pytest.raises(ArtifactError, match="write a new baseline"):
        read_baseline(path)
