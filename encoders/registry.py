"""The table of encoders: name -> where it lives, what it is. A new encoder is one file plus one line here."""

from __future__ import annotations

import dataclasses
import importlib
import typing
from contextlib import suppress
from typing import Any, NamedTuple

from encoders import options
from encoders.base import Encoder
from encoders.errors import OptionError, UnknownNameError
from encoders.spec import Stage, parse


class Entry(NamedTuple):
    """One row of the table."""

    location: str
    summary: str


ENCODERS: dict[str, Entry] = {
    "bow": Entry("encoders.text.bag_of_words:BagOfWords", "word counts over a learnt vocabulary"),
    "tfidf": Entry("encoders.text.tfidf:TfIdf", "word counts weighted by rarity (vector space model)"),
    "bm25": Entry("encoders.text.bm25:BM25", "Okapi BM25 term weights; queries and documents differ"),
    "sbert": Entry(
        "encoders.text.sentence_transformer:SentenceTransformer",
        "sentence embeddings of a transformer (sentence-transformers)",
    ),
    "pixels": Entry("encoders.image.pixels:Pixels", "the picture itself, grey levels in [0, 1]"),
    "patch-kmeans": Entry(
        "encoders.image.patch_kmeans:PatchKMeans", "k-means over whitened patches, summed over quarters of the picture"
    ),
    "vectors": Entry("encoders.table.vectors:Vectors", "vectors as they are given"),
    "pca": Entry("encoders.projection.pca:PCA", "principal components (dense input)"),
    "lsa": Entry("encoders.projection.lsa:LSA", "latent semantic analysis: truncated SVD of a term matrix"),
    "random-projection": Entry(
        "encoders.projection.random_projection:RandomProjection", "random directions: the baseline of every projection"
    ),
    "select": Entry(
        "encoders.projection.feature_selection:FeatureSelection", "some components as they are, the best k"
    ),
    "ica": Entry("encoders.projection.ica:ICA", "independent components (FastICA)"),
    "nmf": Entry("encoders.projection.nmf:NMF", "non-negative matrix factorisation: sums of parts"),
    "sparse-coding": Entry(
        "encoders.projection.sparse_coding:SparseCoding", "sums of few atoms of a learnt dictionary"
    ),
    "mf": Entry(
        "encoders.projection.matrix_factorization:MatrixFactorization",
        "matrix factorisation of ratings, entries missing",
    ),
    "linear-ae": Entry(
        "encoders.neural.linear_autoencoder:LinearAutoencoder",
        "linear autoencoder, one hidden layer: learns PCA's space",
    ),
    "kmeans": Entry("encoders.cluster.kmeans:KMeans", "k-means: indicator, distances or triangle activations"),
    "hac": Entry("encoders.cluster.hac:HAC", "hierarchical agglomerative clustering, cut at k or at a height"),
    "gaussian": Entry("encoders.density.gaussian:Gaussian", "log-likelihood under one Gaussian"),
    "mixture": Entry("encoders.density.mixture:Mixture", "Gaussian mixture: log-likelihood or responsibilities"),
    "kernel-density": Entry("encoders.density.kernel:KernelDensity", "log-likelihood under a kernel density"),
    "nearest-density": Entry("encoders.density.knn:NearestDensity", "log-likelihood by the k-th nearest neighbour"),
    "deep-ae": Entry(
        "encoders.neural.deep_autoencoder:DeepAutoencoder", "deep autoencoder, symmetric MLP of any depth"
    ),
    "denoising-ae": Entry(
        "encoders.neural.denoising_autoencoder:DenoisingAutoencoder", "(stacked) denoising autoencoder: undoes noise"
    ),
    "conv-ae": Entry(
        "encoders.neural.conv_autoencoder:ConvAutoencoder", "convolutional autoencoder, by unpooling or deconvolution"
    ),
    "unet-ae": Entry("encoders.neural.unet_autoencoder:UnetAutoencoder", "U-Net autoencoder: features pass the code"),
    "fpn-ae": Entry("encoders.neural.fpn_autoencoder:FpnAutoencoder", "feature-pyramid autoencoder, any level a code"),
    "vae": Entry("encoders.neural.vae:VAE", "variational autoencoder: a code with a prior, draws new items"),
    "deep-infomax": Entry(
        "encoders.neural.deep_infomax:DeepInfoMax", "codes that a discriminator tells apart: nothing is reconstructed"
    ),
    "semantic-hash": Entry("encoders.neural.semantic_hash:SemanticHash", "bits learnt as such by a deep autoencoder"),
    "pretrained-dnn": Entry(
        "encoders.neural.pretrained_dnn:PretrainedDNN", "layers learnt without labels, then tuned as a classifier"
    ),
    "tsdae": Entry("encoders.neural.tsdae:TSDAE", "sentence model fine-tuned on the texts: gives back deleted words"),
    "binarize": Entry("encoders.projection.binarize:Binarize", "one bit per component, searched by Hamming distance"),
}

#: What papers and other libraries call them.
OTHER_NAMES = {
    "ae": "deep-ae",
    "agglomerative": "hac",
    "als": "mf",
    "autoencoder": "deep-ae",
    "bag-of-words": "bow",
    "bert": "sbert",
    "cae": "conv-ae",
    "count": "bow",
    "dae": "denoising-ae",
    "dbn": "pretrained-dnn",
    "dictionary-learning": "sparse-coding",
    "fastica": "ica",
    "gmm": "mixture",
    "kde": "kernel-density",
    "knn": "nearest-density",
    "lsi": "lsa",
    "okapi": "bm25",
    "sentence-bert": "sbert",
    "sentence-transformer": "sbert",
    "sentence-transformers": "sbert",
    "svd": "lsa",
    "truncated-svd": "lsa",
    "ward": "hac",
}
#: What other libraries call the width of a code; here it is each encoder's first option.
_WIDTHS = {"n-components", "components", "n-clusters", "clusters", "dim", "dims", "size", "width"}


def encoder_class(name: str) -> type[Encoder]:
    """Return the class behind a registry name.

    Raises
    ------
    UnknownNameError
        With the closest known name.
    """
    if name not in ENCODERS:
        raise UnknownNameError("encoder", name, ENCODERS, OTHER_NAMES.get(name.lower().replace("_", "-")))
    module, _, attribute = ENCODERS[name].location.partition(":")
    return typing.cast("type[Encoder]", getattr(importlib.import_module(module), attribute))


def create(spec: str) -> Encoder:
    """Build the (not yet fitted) encoder that a spec describes.

    Raises
    ------
    SpecError, UnknownNameError, OptionError

    Examples
    --------
    >>> str(create("pixels+pca:30"))
    'pixels+pca:30'
    >>> create("pixels+pca:k=-1")
    Traceback (most recent call last):
    encoders.errors.OptionError: pca: k should be at least 1; got -1
    """
    stages = [_create_stage(stage) for stage in parse(spec)]
    if len(stages) == 1:
        return stages[0]
    from encoders.pipeline import Pipeline

    return Pipeline(tuple(stages))


def _create_stage(stage: Stage) -> Encoder:
    cls = encoder_class(stage.name)
    hints = typing.get_type_hints(cls)
    fields = [field.name for field in options.fields_of(cls)]
    given = {key.replace("-", "_"): value for key, value in stage.named.items()}
    if stage.argument is not None:
        if not fields:
            raise OptionError(f"{stage.name} takes no options; got '{stage.argument}'")
        if fields[0] in given:
            raise OptionError(f"{stage.name}: {fields[0]} is given twice")
        given[fields[0]] = stage.argument
    values = {}
    for key, text in given.items():
        if key not in fields:
            written, known = key.replace("_", "-"), [field.replace("_", "-") for field in fields]
            meant = known[0] if known and written.lower() in _WIDTHS else None
            raise UnknownNameError(f"option of {stage.name}", written, known, meant)
        try:
            values[key] = options.convert(text, hints[key], f"{stage.name}: {key}")
        except OptionError as error:
            meant = _option_for(cls, hints, text) if text == stage.argument else None
            raise OptionError(
                f"{error}; did you mean '{stage.name}:{meant}={text}'?" if meant else str(error)
            ) from None
    missing = [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.name not in values
    ]
    if missing:
        raise OptionError(f"{stage.name} needs {missing[0]}, as in '{stage.name}:{cls.name and missing[0].upper()}'")
    return cls(**values)


def _option_for(cls: type[Encoder], hints: dict[str, Any], text: str) -> str | None:
    """Return the one option, not the first, that a value without a name fits: a choice, or whole numbers joined."""
    found = []
    for field in options.fields_of(cls)[1:]:
        if text in (field.metadata.get("choices") or ()):
            found.append(field.name.replace("_", "-"))
        elif "-" in text and options.is_tuple(hints[field.name]):
            with suppress(OptionError):
                options.convert(text, hints[field.name], field.name)
                found.append(field.name.replace("_", "-"))
    return found[0] if len(found) == 1 else None
