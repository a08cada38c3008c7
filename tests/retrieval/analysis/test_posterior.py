"""The aggregate posterior of a variational autoencoder: facts of the mixture, and which spaces have one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from encoders.registry import create
from retrieval.analysis.analyze import analyze
from retrieval.analysis.posterior import ACTIVE, MAX_DRAWN, aggregate, posterior_of, prior_density
from retrieval.corpora.registry import open_corpus


@pytest.fixture(scope="module")
def contents():
    return [item.content for item in list(open_corpus("digits"))[:200]]


def quiet(line: str) -> None:
    pass


def test_posteriors_that_tell_nothing_are_the_prior():
    found = aggregate(np.zeros((5, 3)), np.zeros((5, 3)))
    assert not found.in_use.any()
    np.testing.assert_allclose(found.kl_divergence, 0)
    np.testing.assert_allclose(found.coverage, 1, atol=1e-8)
    np.testing.assert_allclose(found.density[0], prior_density(found.edges))


def test_the_density_is_that_of_the_mixture():
    generator = np.random.default_rng(0)
    mean, spread = generator.standard_normal((40, 1)), generator.uniform(-2, 0, (40, 1))
    found = aggregate(mean, spread)
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    theirs = norm.pdf(middles[:, None], mean[:, 0], np.exp(spread[:, 0] / 2)).mean(axis=1)
    np.testing.assert_allclose(found.density[0], theirs, atol=2e-3)


def test_no_peak_is_missed_however_narrow():
    mean = np.random.default_rng(0).uniform(-3, 3, (30, 1))
    found = aggregate(mean, np.full((30, 1), -12.0))
    assert (found.density[0] * np.diff(found.edges)).sum() == pytest.approx(1)
    assert found.coverage[0] < 0.8  # 30 needles leave most cells empty


def test_what_is_far_from_the_prior_covers_little_of_it():
    found = aggregate(np.array([[-20.0], [20.0]]), np.zeros((2, 1)))
    assert found.coverage[0] < 1e-6
    assert found.edges[-1] >= 20


def test_the_divergence_is_that_of_the_training():
    torch = pytest.importorskip("torch")
    from encoders.neural.vae import kl_divergence

    mean, spread = np.random.default_rng(0).standard_normal((2, 20, 6))
    theirs = kl_divergence(torch.from_numpy(mean), torch.from_numpy(spread)).mean()
    assert aggregate(mean, spread).kl_divergence.sum() == pytest.approx(float(theirs))


def test_the_components_that_tell_most_come_first():
    generator = np.random.default_rng(0)
    mean = generator.standard_normal((100, 20)) * np.linspace(0, 1, 20)
    found = aggregate(mean, np.log(np.full((100, 20), 1 - np.linspace(0, 0.9, 20) ** 2)))
    assert found.order[:3] == [19, 18, 17]
    assert len(found.order) == 20
    assert len(found.density) == MAX_DRAWN
    assert found.in_use.tolist() == (mean.var(axis=0) > ACTIVE).tolist()


@pytest.mark.parametrize(
    ("used", "count", "words"),
    [
        (0, 3, "None of 3 components is in use: the code carries no information"),
        (1, 1, "1 of 1 components is in use; its aggregate"),
        (1, 3, "1 of 3 components is in use; its aggregate"),
        (2, 2, "Both components are in use; the aggregate posterior of each"),
        (3, 3, "All 3 components are in use"),
        (2, 3, "2 of 3 components are in use"),
    ],
)
def test_the_answer_says_how_many_are_in_use(used, count, words):
    mean = np.zeros((50, count))
    mean[:, :used] = np.random.default_rng(0).standard_normal((50, used))
    assert aggregate(mean, np.full((50, count), -1.0)).answer.startswith(words)


def test_a_pipeline_and_a_stage_by_itself_have_one(contents):
    pictures = create("pixels+vae:8-2,epochs=1").fit(contents)
    found = posterior_of(pictures, contents)
    np.testing.assert_allclose(found.means, pictures.encode(contents), atol=1e-6)
    rows = np.stack(contents).reshape(len(contents), -1) / np.float32(255)
    alone = create("vae:8-3,epochs=1").fit(rows)
    assert posterior_of(alone, list(rows)).decoded == []
    assert posterior_of(create("pixels+pca:2").fit(contents), contents) is None
    assert posterior_of(create("pixels").fit(contents), contents) is None


def test_two_numbers_decode_all_over_the_prior(contents):
    encoder = create("pixels+vae:8-2,epochs=1").fit(contents)
    found = posterior_of(encoder, contents)
    side = round(len(found.decoded) ** 0.5)
    assert side**2 == len(found.decoded)
    end = norm.ppf((side - 0.5) / side)
    upper_left, lower_right = encoder.decode(np.array([[-end, end], [end, -end]], np.float32))
    np.testing.assert_array_equal(found.decoded[0], upper_left)
    np.testing.assert_array_equal(found.decoded[-1], lower_right)
    assert posterior_of(create("pixels+vae:8-3,epochs=1").fit(contents), contents).decoded == []


def test_words_have_a_posterior_and_no_pictures():
    texts = ["heat flow heat", "flow of heat", "cat dog", "dog and cat cat"] * 10
    found = posterior_of(create("bow+vae:4-2,epochs=1").fit(texts), texts)
    assert found.means.shape == (40, 2)
    assert found.decoded == []


def test_the_part_is_missed_only_where_it_was_asked_for(contents):
    corpus, encoder = open_corpus("digits"), create("pixels+pca:2").fit(contents)
    assert any("no space ends in a variational" in note for note in
               analyze(corpus, [encoder], quiet, ("posterior",), sample=20).notes)  # fmt: skip
    assert analyze(corpus, [encoder], quiet, ("components",), sample=20).notes == []
