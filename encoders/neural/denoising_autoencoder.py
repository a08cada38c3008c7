"""The (stacked) denoising autoencoder: learns to give back the item that noise was added to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from encoders.neural.corruption import CORRUPTIONS
from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.options import option


@dataclass
class DenoisingAutoencoder(PerceptronAutoencoder):
    """A deep autoencoder that sees a spoilt item and is to give back the clean one.

    ``pretrain=layerwise`` makes it a stacked one: every layer first learns to undo noise on the codes of the layer
    below. Its `reconstruct` cleans items.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = DenoisingAutoencoder((6, 4), epochs=2, corruption="masking", level=0.2).fit(rows)
    >>> encoder.reconstruct(rows).shape
    (64, 8)

    References
    ----------
    Vincent, Larochelle, Bengio & Manzagol, Extracting and composing robust features with denoising autoencoders,
    ICML 2008; Vincent, Larochelle, Lajoie, Bengio & Manzagol, Stacked denoising autoencoders, JMLR 11, 2010.
    """

    name: ClassVar[str] = "denoising-ae"
    sizes: tuple[int, ...] = option((1000, 500, 250, 30), "widths from the input to the code", ge=1)
    corruption: str = option("gaussian", "noise on the input, to be undone", choices=CORRUPTIONS, kw_only=True)

    def _sizes(self) -> tuple[int, ...]:
        return self.sizes
