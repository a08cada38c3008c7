"""The table of encoders: name -> module and class. A new encoder is one file and one line here."""

from __future__ import annotations

import importlib
import inspect
import typing
from contextlib import suppress
from typing import Any, NamedTuple

from encoders import options
from encoders.base import Encoder
from encoders.errors import OptionError, UnknownNameError
from encoders.spec import Stage, parse


class EncoderEntry(NamedTuple):
    """One row of the table: the module and class of an encoder."""

    location: str

    def load(self) -> type[Encoder]:
        """Import the class."""
        module, _, attribute = self.location.partition(":")
        return typing.cast("type[Encoder]", getattr(importlib.import_module(module), attribute))

    @property
    def summary(self) -> str:
        """What the encoder is: the first sentence of the class's docstring, without its full stop."""
        return self._paragraphs()[0].removesuffix(".")

    @property
    def use(self) -> str:
        """When to use the encoder: the second paragraph of the class's docstring, "Use it when ..."."""
        return self._paragraphs()[1]

    def _paragraphs(self) -> list[str]:
        return [" ".join(paragraph.split()) for paragraph in (inspect.getdoc(self.load()) or "").split("\n\n")]


ENCODERS: dict[str, EncoderEntry] = {
    "bow": EncoderEntry("encoders.text.bag_of_words:BagOfWords"),
    "tfidf": EncoderEntry("encoders.text.tfidf:TfIdf"),
    "bm25": EncoderEntry("encoders.text.bm25:BM25"),
    "sbert": EncoderEntry("encoders.text.sentence_transformer:SentenceTransformer"),
    "static": EncoderEntry("encoders.text.static:Static"),
    "splade": EncoderEntry("encoders.text.splade:Splade"),
    "endpoint": EncoderEntry("encoders.text.endpoint:Endpoint"),
    "pixels": EncoderEntry("encoders.image.pixels:Pixels"),
    "patch-kmeans": EncoderEntry("encoders.image.patch_kmeans:PatchKMeans"),
    "image-model": EncoderEntry("encoders.image.image_model:ImageEmbedding"),
    "clip": EncoderEntry("encoders.image.clip:Clip"),
    "log-mel": EncoderEntry("encoders.audio.log_mel:LogMel"),
    "vectors": EncoderEntry("encoders.table.vectors:Vectors"),
    "columns": EncoderEntry("encoders.table.columns:Columns"),
    "given": EncoderEntry("encoders.given.given:Given"),
    "pca": EncoderEntry("encoders.projection.pca:PCA"),
    "lsa": EncoderEntry("encoders.projection.lsa:LSA"),
    "random-projection": EncoderEntry("encoders.projection.random_projection:RandomProjection"),
    "select": EncoderEntry("encoders.projection.feature_selection:FeatureSelection"),
    "block-transform": EncoderEntry("encoders.projection.block_transform:BlockTransform"),
    "ica": EncoderEntry("encoders.projection.ica:ICA"),
    "nmf": EncoderEntry("encoders.projection.nmf:NMF"),
    "sparse-coding": EncoderEntry("encoders.projection.sparse_coding:SparseCoding"),
    "mf": EncoderEntry("encoders.projection.matrix_factorization:MatrixFactorization"),
    "linear-ae": EncoderEntry("encoders.neural.linear_autoencoder:LinearAutoencoder"),
    "kmeans": EncoderEntry("encoders.cluster.kmeans:KMeans"),
    "hac": EncoderEntry("encoders.cluster.hac:HAC"),
    "gaussian": EncoderEntry("encoders.density.gaussian:Gaussian"),
    "mixture": EncoderEntry("encoders.density.mixture:Mixture"),
    "kernel-density": EncoderEntry("encoders.density.kernel:KernelDensity"),
    "nearest-density": EncoderEntry("encoders.density.knn:NearestDensity"),
    "deep-ae": EncoderEntry("encoders.neural.deep_autoencoder:DeepAutoencoder"),
    "denoising-ae": EncoderEntry("encoders.neural.denoising_autoencoder:DenoisingAutoencoder"),
    "conv-ae": EncoderEntry("encoders.neural.conv_autoencoder:ConvAutoencoder"),
    "unet-ae": EncoderEntry("encoders.neural.unet_autoencoder:UnetAutoencoder"),
    "fpn-ae": EncoderEntry("encoders.neural.fpn_autoencoder:FpnAutoencoder"),
    "vae": EncoderEntry("encoders.neural.vae:VAE"),
    "deep-infomax": EncoderEntry("encoders.neural.deep_infomax:DeepInfoMax"),
    "gan": EncoderEntry("encoders.neural.gan:GAN"),
    "disentangle": EncoderEntry("encoders.neural.disentangle:Disentangle"),
    "semantic-hash": EncoderEntry("encoders.neural.semantic_hash:SemanticHash"),
    "pretrained-dnn": EncoderEntry("encoders.neural.pretrained_dnn:PretrainedDNN"),
    "tsdae": EncoderEntry("encoders.neural.tsdae:TSDAE"),
    "truncate": EncoderEntry("encoders.projection.truncate:Truncate"),
    "sq8": EncoderEntry("encoders.quantization.scalar:SQ8"),
    "sq4": EncoderEntry("encoders.quantization.scalar:SQ4"),
    "pq": EncoderEntry("encoders.quantization.product:ProductQuantizer"),
    "rabitq": EncoderEntry("encoders.quantization.rabitq:RaBitQ"),
    "binarize": EncoderEntry("encoders.projection.binarize:Binarize"),
}

#: Names in papers and other libraries -> the encoder.
OTHER_NAMES = {
    "ae": "deep-ae",
    "agglomerative": "hac",
    "ali": "gan",
    "als": "mf",
    "autoencoder": "deep-ae",
    "bag-of-words": "bow",
    "bert": "sbert",
    "bigan": "gan",
    "cae": "conv-ae",
    "count": "bow",
    "dae": "denoising-ae",
    "dct": "block-transform",
    "dbn": "pretrained-dnn",
    "dino": "image-model",
    "dinov2": "image-model",
    "dictionary-learning": "sparse-coding",
    "fastica": "ica",
    "gmm": "mixture",
    "karhunen-loeve": "block-transform",
    "kde": "kernel-density",
    "klt": "block-transform",
    "knn": "nearest-density",
    "lsi": "lsa",
    "int4": "sq4",
    "int8": "sq8",
    "matryoshka": "truncate",
    "mel": "log-mel",
    "mel-spectrogram": "log-mel",
    "okapi": "bm25",
    "product-quantization": "pq",
    "scalar-quantization": "sq8",
    "one-hot": "columns",
    "sentence-bert": "sbert",
    "sentence-transformer": "sbert",
    "sentence-transformers": "sbert",
    "sign": "binarize",
    "signs": "binarize",
    "sparse-encoder": "splade",
    "spectrogram": "log-mel",
    "svd": "lsa",
    "table": "columns",
    "tabular": "columns",
    "model2vec": "static",
    "potion": "static",
    "truncated-svd": "lsa",
    "resnet": "image-model",
    "siglip": "clip",
    "vit": "image-model",
    "ward": "hac",
}
#: Names for the width of a code in other libraries; it is the first option of an encoder.
_WIDTHS = {"d", "k", "n-components", "components", "n-clusters", "clusters", "dim", "dims", "size", "width"}

#: Encoder -> old name of an option -> its name today: encoders that an older nearby saved can be loaded.
_OLD_OPTIONS = {"hac": {"most": "max-items"}}


def encoder_class(name: str) -> type[Encoder]:
    """Return the class behind a registry name.

    Raises
    ------
    UnknownNameError
        With the closest known name.
    """
    if name not in ENCODERS:
        raise UnknownNameError("encoder", name, ENCODERS, OTHER_NAMES.get(name.lower().replace("_", "-")))
    return ENCODERS[name].load()


def create(spec: str) -> Encoder:
    """Build the (not yet fitted) encoder that a spec describes.

    Raises
    ------
    SpecError, UnknownNameError, OptionError

    Examples
    --------
    >>> str(create("pixels+pca:30"))
    'pixels+pca:30'
    >>> create("pixels+pca:n-components=-1")
    Traceback (most recent call last):
    encoders.errors.OptionError: pca: n-components should be at least 1; got -1
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
    renamed = _OLD_OPTIONS.get(stage.name, {})
    texts = {renamed.get(key, key).replace("-", "_"): text for key, text in stage.named.items()}
    if stage.argument is not None:
        if not fields:
            raise OptionError(f"{stage.name} takes no options; got '{stage.argument}'")
        if fields[0] in texts:
            raise OptionError(f"{stage.name}: {options.written_name(fields[0])} is given twice")
        texts[fields[0]] = stage.argument
    values = {}
    for field, text in texts.items():
        written = options.written_name(field)
        if field not in fields:
            known = [options.written_name(name) for name in fields]
            suggestion = known[0] if known and written.lower() in _WIDTHS else None
            raise UnknownNameError("option", written, known, suggestion, where=f"of {stage.name}")
        try:
            values[field] = options.convert(text, hints[field], f"{stage.name}: {written}")
        except OptionError as error:
            suggestion = _option_for(cls, hints, text) if text == stage.argument else None
            raise OptionError(
                f"{error}; did you mean '{stage.name}:{suggestion}={text}'?" if suggestion else str(error)
            ) from None
    return cls(**values)


def _option_for(cls: type[Encoder], hints: dict[str, Any], text: str) -> str | None:
    """Return the option that a value without a name fits, by its choices or as numbers joined by hyphens.

    None if no option fits, or several. The first option, which `text` has failed to fit, is left out.
    """
    names = []
    for field in options.fields_of(cls)[1:]:
        if text in (field.metadata.get("choices") or ()):
            names.append(options.written_name(field.name))
        elif "-" in text and options.is_numbers(hints[field.name]):
            with suppress(OptionError):
                options.convert(text, hints[field.name], field.name)
                names.append(options.written_name(field.name))
    return names[0] if len(names) == 1 else None
