"""Content and speaker of spoken digits in two parts of a code: what fresh classifiers read from each, and conversion.

Codes are frozen; fresh classifiers (linear, MLP, 5 nearest neighbours) are trained on the codes of the training takes
and read the test takes. Unseen speakers: the encoder never hears one speaker (leave one out); the classifiers of
digits neither; those of speakers are trained on all speakers' training takes. Beside it: the plain code before
adversarial training, a PCA, the PCA with each speaker's mean removed, and with the linear traces of the speaker erased.
A second demonstration on pictures: digits of MNIST in four styles (as they are, inverted, blurred, thickened and
dimmed), where the style is the nuisance.

Converted spectrograms (content of a test take, voice of another speaker) are judged by classifiers of speakers and
digits that were trained on real ones. Settings were chosen on training takes that end in 9 (``tune``).

Run: ``NEARBY_DATA=... python benchmarks/disentangling.py [seed=N ...]``, or ``tune SPEC ...``
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

import numpy as np
from mnist import read
from record import nothing_else, record, say, seeded, seeds_of, timed
from scipy.ndimage import gaussian_filter, grey_dilation
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from encoders.registry import create
from retrieval.corpora.registry import open_corpus

MEL = "log-mel"
SPEC = "disentangle:32,channels=16-32-64,batch-size=64,normalize=maps,epochs=25"
PLAIN = f"{SPEC},adversary=none,bottleneck=0,nuisance-weight=0"
PCA = "pca:32"
PROBES = {
    "linear": lambda: LogisticRegression(max_iter=1000),
    "MLP": lambda: MLPClassifier((128,), max_iter=100, random_state=0),
    "kNN": lambda: KNeighborsClassifier(5),
}
warnings.filterwarnings("ignore", category=ConvergenceWarning)


class Takes:
    """Spectrograms with their digits and speakers."""

    def __init__(self, rows: Any, digits: Any, speakers: Any) -> None:
        self.rows, self.digits, self.speakers = rows, digits, speakers

    def where(self, chosen: Any) -> Takes:
        return Takes(self.rows[chosen], self.digits[chosen], self.speakers[chosen])


def main(*arguments: str) -> None:
    """Measure with every seed asked for; or tune."""
    seeds, others = seeds_of(arguments)
    nothing_else([] if others[:1] == ["tune"] else others)
    mel, train, test, takes = spoken()
    if arguments[:1] == ("tune",):
        held = takes % 10 == 9
        for spec in arguments[1:]:
            found, _ = trained(mel, spec, train.where(~held), train.where(held))
            say(spec, found)
        return
    for seed in seeds:
        figures: dict[str, Any] = {}
        begun = time.perf_counter()
        figures["disentangle"], encoder = trained(mel, seeded(SPEC, seed), train, test)
        figures["untrained"], _ = trained(mel, seeded(untrained(SPEC), seed), train, test)
        figures["plain"], _ = trained(mel, seeded(PLAIN, seed), train, test)
        figures.update(linear_baselines(train, test))
        figures["conversion"] = conversion(encoder, train, test)
        figures["styles"] = styles(seed)
        figures["unseen"] = unseen(mel, seeded(SPEC, seed), train, test)
        record("disentangling", {"seed": seed, "spec": SPEC, "seconds": time.perf_counter() - begun, **figures})


STYLED = "disentangle:32,channels=16-32-64,batch-size=64,epochs=8"
STYLES = {
    "plain": lambda picture: picture,
    "inverted": lambda picture: 1 - picture,
    "blurred": lambda picture: gaussian_filter(picture, 1.2),
    "thick and dim": lambda picture: 0.6 * grey_dilation(picture, size=(3, 3)),
}


def styles(seed: int) -> dict[str, Any]:
    """Return what fresh classifiers read from content and style of digits in four styles: 6,000 train, 2,000 ask."""
    parts = []
    for part, count in (("train", 6_000), ("test", 2_000)):
        pictures, labels = read(part)
        names = np.array(list(STYLES))[np.arange(count) % len(STYLES)]
        rows = [STYLES[name](picture / 255) for name, picture in zip(names, pictures[:count], strict=True)]
        parts.append(Takes(np.stack(rows).reshape(count, -1).astype(np.float32), np.asarray(labels)[:count], names))
    found, _ = trained(create("pixels").fit(read("test")[0][:1]), seeded(STYLED, seed), *parts)
    return found


def spoken() -> tuple[Any, Takes, Takes, Any]:
    """Return the encoder of spectrograms, training and test takes, and the number of each training take."""
    corpus = open_corpus("speech-digits")
    items, queries = list(corpus), list(corpus.queries())
    mel = create(MEL).fit([item.content for item in items])
    both = [
        Takes(
            mel.encode([item.content for item in some]),
            *(np.array([item.metadata[field] for item in some]) for field in ("digit", "speaker")),
        )
        for some in (items, queries)
    ]
    return mel, both[0], both[1], np.array([int(item.metadata["take"]) for item in items])


def untrained(spec: str) -> str:
    head, _, _ = spec.rpartition(",epochs=")
    return f"{head},epochs=1,learning-rate=1e-12"


def stage(mel: Any, spec: str, train: Takes) -> Any:
    encoder = create(spec)
    encoder.input_space = mel.space
    return encoder.fit(train.rows, train.speakers)


def trained(mel: Any, spec: str, train: Takes, test: Takes) -> tuple[dict[str, Any], Any]:
    with timed() as fitting:
        encoder = stage(mel, spec, train)
    found = {
        part: read_from(encoder.part_of(train.rows, part), train, encoder.part_of(test.rows, part), test)
        for part in ("content", "nuisance")
    }
    say(spec, found)
    return {**found, "fit_seconds": fitting.value, "spec": spec}, encoder


def read_from(codes: Any, train: Takes, asked: Any, test: Takes) -> dict[str, Any]:
    """Return what fresh classifiers read from codes, and P@10 by digit and by speaker with cosine."""
    found: dict[str, Any] = {}
    for what in ("digits", "speakers"):
        known, truth = getattr(train, what), getattr(test, what)
        found[what] = {
            name: make_pipeline(StandardScaler(), probe()).fit(codes, known).score(asked, truth)
            for name, probe in PROBES.items()
        }
        found[what]["P@10"] = precision(codes, known, asked, truth)
    return found


def precision(codes: Any, known: Any, asked: Any, truth: Any) -> float:
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9) for rows in (codes, asked))
    nearest = np.argpartition(-(other @ one.T), 10, axis=1)[:, :10]
    return float((known[nearest] == truth[:, None]).mean())


def linear_baselines(train: Takes, test: Takes) -> dict[str, Any]:
    """Return the same for a PCA, for each speaker's mean removed, and for linear traces of the speaker erased."""
    pca = create(PCA).fit(train.rows)
    codes, asked = pca.encode(train.rows), pca.encode(test.rows)
    means = {name: codes[train.speakers == name].mean(axis=0) for name in np.unique(train.speakers)}
    centred = [
        rows - np.stack([means[name] for name in some.speakers]) for rows, some in ((codes, train), (asked, test))
    ]
    erased = erasure(codes, np.stack([means[name] for name in train.speakers]))
    return {
        "PCA": read_from(codes, train, asked, test),
        "PCA, the mean of each speaker removed": read_from(centred[0], train, centred[1], test),
        "PCA, linear traces of the speaker erased": read_from(erased(codes), train, erased(asked), test),
    }


def erasure(codes: Any, means: Any) -> Any:
    """Return the projection after which no linear classifier reads the speaker from the codes it was fitted on.

    The least-squares erasure of Belrose et al., LEACE: Perfect linear concept erasure in closed form, NeurIPS 2023:
    in whitened codes, the directions of the means of the speakers are projected out.
    """
    centre = codes.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(codes, rowvar=False))
    scale = np.sqrt(values.clip(1e-9))
    whiten, colour = (vectors / scale) @ vectors.T, (vectors * scale) @ vectors.T
    directions, strengths, _ = np.linalg.svd(whiten @ (means - centre).T, full_matrices=False)
    basis = directions[:, strengths > 1e-3 * strengths[0]]
    project = np.eye(len(centre)) - colour @ basis @ basis.T @ whiten
    return lambda rows: centre + (rows - centre) @ project.T


def conversion(encoder: Any, train: Takes, test: Takes) -> dict[str, Any]:
    """Return what independent classifiers hear in converted spectrograms, for all pairs of speakers."""
    judges = {
        what: make_pipeline(StandardScaler(), PROBES["MLP"]()).fit(train.rows, getattr(train, what))
        for what in ("digits", "speakers")
    }
    names = np.unique(train.speakers)
    on_real = {what: float(judge.score(test.rows, getattr(test, what))) for what, judge in judges.items()}
    pairs, swapped = {}, {}
    for source in names:
        mine = test.where(test.speakers == source)
        for target in names[names != source]:
            voices = train.rows[train.speakers == target]
            changed = encoder.convert(mine.rows, like=voices)
            moved = np.clip(mine.rows + voices.mean(axis=0) - train.rows[train.speakers == source].mean(axis=0), 0, 1)
            for found, rows in ((pairs, changed), (swapped, moved)):
                found[f"{source} to {target}"] = {
                    "speaker": float((judges["speakers"].predict(rows) == target).mean()),
                    "digit": float((judges["digits"].predict(rows) == mine.digits).mean()),
                }
    means = {
        name: {what: float(np.mean([pair[what] for pair in found.values()])) for what in ("speaker", "digit")}
        for name, found in (("disentangle", pairs), ("mean spectrum swapped", swapped))
    }
    say("conversion", means, "judges on real takes", on_real)
    return {"pairs": pairs, "means": means, "judges": on_real}


def unseen(mel: Any, spec: str, train: Takes, test: Takes) -> dict[str, Any]:
    """Return the same for each speaker whom the encoder never heard, as means over the speakers."""
    found = []
    for name in np.unique(train.speakers):
        encoder = stage(mel, spec, train.where(train.speakers != name))
        content = {key: encoder.part_of(rows, "content") for key, rows in (("train", train.rows), ("test", test.rows))}
        heard, here = train.speakers != name, test.speakers == name
        figures = {}
        for probe, make in PROBES.items():
            digits = make_pipeline(StandardScaler(), make()).fit(content["train"][heard], train.digits[heard])
            speakers = make_pipeline(StandardScaler(), make()).fit(content["train"], train.speakers)
            figures[f"digit, {probe}"] = float(digits.score(content["test"][here], test.digits[here]))
            figures[f"speaker, {probe}"] = float(speakers.score(content["test"][here], test.speakers[here]))
        say("unseen", name, figures)
        found.append(figures)
    return {key: float(np.mean([figures[key] for figures in found])) for key in found[0]}


if __name__ == "__main__":
    main(*sys.argv[1:])
