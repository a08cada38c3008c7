"""The analysis of a corpus in several spaces: every result that the page shows. Read this file first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.cluster.linkage import cut, tree
from encoders.cluster.membership import clusters_of
from encoders.codes import Codes, Kind, Metric, Modality, n_rows, normalized
from encoders.errors import BadItemError, NearbyError, OptionError
from encoders.neural.criterion import MIN_ITEMS, discriminator_criterion
from encoders.progress import ProgressCallback
from encoders.registry import create
from encoders.scaling import moderate
from retrieval.analysis.cluster_count import MAX_ITEMS, study
from retrieval.analysis.cluster_quality import agreement
from retrieval.analysis.components import components_of, partial_sums
from retrieval.analysis.dendrogram import folded
from retrieval.analysis.dimension import errors_by_width
from retrieval.analysis.locality import is_dense, locality
from retrieval.analysis.maps import maps_of
from retrieval.analysis.posterior import posterior_of
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.inputs import inputs_of
from retrieval.corpora.sample import draw
from retrieval.experiment.learnt_labels import learns_labels
from retrieval.search.result import show
from retrieval.spaces.space_encoder import require_fields

PARTS = ("components", "sums", "dimension", "tree", "quality", "maps", "posterior", "locality", "discriminator")
#: Spaces that are analysed when none is named, by modality.
DEFAULTS = {
    Modality.IMAGE: ["pixels+pca:30", "pixels+nmf:30", "pixels+ica:30", "pixels+sparse-coding:60", "pixels+kmeans:30",
                     "pixels+linear-ae:30"],
    Modality.TEXT: ["tfidf:5000,stop=english+lsa:50", "tfidf:5000,stop=english+nmf:30",
    "tfidf:5000,stop=english+kmeans:30"],
    Modality.SOUND: ["log-mel+pca:30", "log-mel+nmf:30", "log-mel+ica:30", "log-mel+kmeans:30"],
    Modality.ROW: ["columns", "columns+pca:8", "columns+kmeans:10"],
    Modality.VECTOR: ["vectors", "vectors+pca:2"],
}  # fmt: skip
#: Default number of items in the sample, and number of items whose partial sums are shown.
SAMPLE, REBUILT = 1000, 3
#: Sparse codes are reduced to this many dimensions before they are clustered.
LATENT = 50


def analyze(
    corpus: Corpus,
    encoders: Sequence[Encoder],
    say: ProgressCallback,
    parts: Sequence[str] = PARTS,
    sample: int = SAMPLE,
    clusters: int | None = None,
    height: float | None = None,
) -> Analysis:
    """Analyse a corpus in several spaces.

    Parameters
    ----------
    corpus : Corpus
    encoders : sequence of Encoder
        An encoder that is not fitted yet is fitted on the whole corpus.
    say : callable
        Called with one line per step.
    parts : sequence of str
        Parts of the analysis, from `PARTS`.
    sample : int
        Number of items in the sample.
    clusters : int, optional
        Number of clusters to cut the tree into. Default: the number that the criteria recommend.
    height : float, optional
        Cut the tree at this height instead.

    Raises
    ------
    OptionError
        When a part does not exist, the sample size is out of range, or the height gives one cluster.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise OptionError(f"no part '{unknown[0]}' of an analysis; there are: {', '.join(PARTS)}")
    if not 4 <= sample <= MAX_ITEMS:
        raise OptionError(f"an analysis looks at 4 to {MAX_ITEMS:,} items, not at {sample:,}")
    items = draw(corpus, sample)
    if len(items) < 4:
        raise BadItemError(f"the corpus '{corpus.name}' holds {len(items)} items: an analysis needs at least 4")
    if set(parts) == {"discriminator"} and len(items) < MIN_ITEMS:
        raise BadItemError(
            f"a discriminator learns from at least {MIN_ITEMS} items, but the corpus '{corpus.name}' has {len(items)}"
            if len(items) < sample
            else f"a discriminator learns from at least {MIN_ITEMS} items: raise --sample {sample}"
        )
    require_fields(corpus, encoders)
    analysis = Analysis(
        corpus.name, str(corpus.modality), [show(item) for item in items], [item.label for item in items]
    )
    fitted = [_fitted(encoder, corpus, say) for encoder in encoders]
    codes = []
    for encoder in fitted:
        codes.append(encoder.encode(inputs_of(encoder, items)))
        analysis.spaces.append(_space(analysis, encoder, codes[-1], items, say, parts))
    if "posterior" in parts and set(parts) != set(PARTS) and not any(space.posterior for space in analysis.spaces):
        analysis.notes.append("no aggregate posterior: no space ends in a variational autoencoder (pixels+vae:64-2)")
    if "dimension" in parts:
        _dimension(analysis, fitted[0], items, say)
    if "tree" in parts:
        _tree(analysis, fitted[0], codes[0], say, clusters, height)
    if "locality" in parts:
        _locality(analysis, fitted, codes, items, say)
    if "discriminator" in parts:
        _discriminator(analysis, fitted, codes, items, say)
    return analysis


def _fitted(encoder: Encoder, corpus: Corpus, say: ProgressCallback) -> Encoder:
    if not encoder.__sklearn_is_fitted__():
        say(f"fitting {encoder}")
        encoder.fit(corpus.batches_for(encoder))
    return encoder


def _space(
    analysis: Analysis,
    encoder: Encoder,
    codes: Codes,
    items: Sequence[Item],
    say: ProgressCallback,
    parts: Sequence[str],
) -> SpaceStudy:
    result = SpaceStudy(str(encoder), encoder.space.dim, str(encoder.space.metric))
    if {"components", "sums"} & set(parts):
        result.components = components_of(encoder)
    if "sums" in parts and result.components is not None and not result.components.clusters and result.components.shape:
        rows = np.linspace(0, len(items) - 1, REBUILT).astype(int).tolist()
        first = encoder.parts[0].encode(inputs_of(encoder, [items[row] for row in rows]))
        dense = codes.toarray() if issparse(codes) else codes
        result.sums = [(row, partial_sums(result.components, dense[row], first[at])) for at, row in enumerate(rows)]
    if "quality" in parts and is_dense(encoder.space):
        _quality(analysis, result, encoder, codes, items, say)
    if "maps" in parts and is_dense(encoder.space) and encoder.space.dim > 1 and not _is_clusters(encoder):
        say(f"mapping {encoder}")
        result.maps = maps_of(codes, encoder.space.metric, say)
    if "posterior" in parts:
        result.posterior = posterior_of(encoder, inputs_of(encoder, items))
    return result


def _learnt(encoder: Encoder, items: Sequence[Item]) -> bool:
    return learns_labels(encoder, lambda: [(item.label, item.metadata) for item in items])


def _is_clusters(encoder: Encoder) -> bool:
    return encoder.parts[-1].name in ("kmeans", "hac") and encoder.space.kind is Kind.SPARSE


def _classes(labels: Sequence[str | None]) -> list[str] | None:
    known = [label for label in labels if label is not None]
    return known if len(known) == len(labels) and 1 < len(set(known)) < len(known) else None


def _quality(
    analysis: Analysis, result: SpaceStudy, encoder: Encoder, codes: Codes, items: Sequence[Item], say: ProgressCallback
) -> None:
    """Cluster the sample by several methods into as many clusters as there are classes."""
    labels = _classes(analysis.labels)
    if labels is None:
        return
    if _learnt(encoder, items):
        analysis.notes.append(f"clusters of {encoder} are not compared with labels: the encoder was fitted on them")
        return
    if _is_clusters(encoder):
        result.quality["as it is"] = agreement(clusters_of(codes), labels)
        return
    say(f"clustering {encoder}")
    rows, k = moderate(latent_rows(codes, encoder.space.metric)), len(set(labels))
    result.quality["k-means"] = agreement(clusters_of(create(f"kmeans:{k}").fit_encode(rows)), labels)
    for linkage in ("ward", "average", "complete", "single"):
        result.quality[f"HAC, {linkage}"] = agreement(cut(tree(rows, linkage), k), labels)
    ridge = max(1e-6, 1e-3 * float(rows.var()))
    mixture = create(f"mixture:{k},covariance=diag,codes=responsibilities,ridge={ridge:.3g}")
    result.quality["Gaussian mixture"] = agreement(mixture.fit_encode(rows).argmax(axis=1), labels)


def latent_rows(codes: Codes, metric: Metric) -> NDArray[np.float32]:
    """Return dense rows whose Euclidean distances equal those of a space, approximately for sparse codes."""
    rows: Any = normalized(codes) if metric is Metric.COSINE else codes
    if issparse(rows):
        width = min(LATENT, n_rows(rows) - 1, int(rows.shape[1]) - 1)
        rows = create(f"pca:{max(1, width)},solver=randomized").fit_encode(rows)
    return np.asarray(rows, dtype=np.float32)


def _dimension(analysis: Analysis, encoder: Encoder, items: Sequence[Item], say: ProgressCallback) -> None:
    """Compare widths on the codes of the first stage of the first space."""
    first = encoder.parts[0]
    rows: Any = first.encode(inputs_of(first, items))
    if issparse(rows):
        rows = normalized(rows)
        if rows.shape[1] > 5000:
            analysis.notes.append(f"no curve over the width of the code: {rows.shape[1]:,} words are more than 5,000")
            return
        rows = rows.toarray()
    if rows.dtype == np.uint8 or rows.shape[1] < 3:
        return
    analysis.widths, analysis.lost = errors_by_width(moderate(np.asarray(rows, dtype=np.float32)), say)


def _tree(
    analysis: Analysis,
    encoder: Encoder,
    codes: Codes,
    say: ProgressCallback,
    clusters: int | None,
    height: float | None,
) -> None:
    say("finding the number of clusters")
    rows = latent_rows(codes, encoder.space.metric)
    analysis.tree_space, analysis.latent = str(encoder), rows
    analysis.counts = study(rows)
    merges = analysis.counts.merges
    if height is not None:
        if height >= merges[-1, 2]:
            raise OptionError(f"a cut at height {height:g} gives one cluster: the last merge is at {merges[-1, 2]:.4g}")
        clusters = int(np.count_nonzero(merges[:, 2] > height)) + 1
    k = analysis.counts.answer[0] if clusters is None else clusters
    if not 2 <= k <= len(rows):
        raise OptionError(f"a tree of {len(rows)} items is cut into 2 to {len(rows)} clusters, not {k}")
    analysis.tree = folded(merges, k)


def _discriminator(
    analysis: Analysis,
    encoders: Sequence[Encoder],
    codes: Sequence[Codes],
    items: Sequence[Item],
    say: ProgressCallback,
) -> None:
    """Measure how well a discriminator network recognises the items (first-stage codes) of codes."""
    if len(items) < MIN_ITEMS:
        analysis.notes.append(f"no discriminator was trained on {len(items)} items: it needs at least {MIN_ITEMS}")
        return
    first = encoders[0].parts[0]
    rows = moderate(latent_rows(first.encode(inputs_of(first, items)), first.space.metric))
    for result, encoder, coded in zip(analysis.spaces, encoders, codes, strict=True):
        say(f"training a discriminator on {encoder}")
        result.discriminator = discriminator_criterion(rows, coded, encoder.space)


def _locality(
    analysis: Analysis,
    encoders: Sequence[Encoder],
    codes: Sequence[Codes],
    items: Sequence[Item],
    say: ProgressCallback,
) -> None:
    position = next((n for n, one in enumerate(encoders) if is_dense(one.space) and not _is_clusters(one)), None)
    if position is None:
        return
    encoder, count = encoders[position], len(analysis.labels)
    say("comparing clusters with codes")
    labels = _classes(analysis.labels)
    k = min(len(set(labels)) if labels else 20, count // 2)
    try:
        known: list[str | None] = [None] * count if _learnt(encoder, items) else analysis.labels
        analysis.local = locality(codes[position], encoder.space, known, k)
        analysis.local_space = str(encoder)
    except NearbyError as error:
        analysis.notes.append(f"clusters were not compared with codes: {error}")
