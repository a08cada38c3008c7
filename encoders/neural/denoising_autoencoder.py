"""The (stacked) denoising autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from encoders.neural.corruption import CORRUPTIONS
from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.options import option


@dataclass
class DenoisingAutoencoder(PerceptronAutoencoder):
    """Denoising autoencoder: a deep autoencoder that reconstructs clean items from corrupted ones.

    Use it when items are noisy: `reconstruct` cleans them, and the layers are good features.

    ``pretrain=layerwise`` makes it a stacked denoising autoencoder: every layer first learns to denoise the codes of
    the layer below it.

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
    sizes: tuple[int, ...] = option(
        (1000, 500, 250, 30), "Widths of the layers from the first hidden layer to the code.", ge=1
    )
    corruption: str = option(
        "gaussian",
        "Noise added to the input in training; the network learns to remove it.",
        choices=CORRUPTIONS,
        kw_only=True,
    )

    def _sizes(self) -> tuple[int, ...]:
        return self.sizes
