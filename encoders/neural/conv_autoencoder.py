"""The convolutional autoencoder: convolution and pooling down, unpooling or deconvolution up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from encoders.neural.picture_autoencoder import PictureAutoencoder
from encoders.options import option


@dataclass
class ConvAutoencoder(PictureAutoencoder):
    """Pictures to `k` numbers by convolution and pooling, and back.

    `up` undoes the pooling: ``deconv``, a transposed convolution; ``repeat``, every value four times; ``index``, every
    value to where the maximum was. The last hands the places of the maxima past the code, so that a code alone is not
    enough to go up: its items are reconstructed, not decoded.

    Examples
    --------
    >>> import numpy as np
    >>> from encoders.registry import create
    >>> pictures = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    >>> encoder = create("pixels+conv-ae:5,channels=4-8,epochs=1").fit(pictures)
    >>> encoder.encode(pictures).shape, encoder.reconstruct(pictures).shape
    ((16, 5), (16, 8, 8))

    References
    ----------
    Masci, Meier, Ciresan & Schmidhuber, Stacked convolutional auto-encoders for hierarchical feature extraction,
    ICANN 2011; Zeiler & Fergus, Visualizing and understanding convolutional networks, ECCV 2014, section 2.1
    (unpooling by remembered places).
    """

    name: ClassVar[str] = "conv-ae"
    k: int = option(30, "numbers of the code", ge=1)
    up: str = option("deconv", "how pooling is undone", choices=("deconv", "repeat", "index"))

    @property
    def _up(self) -> str:
        return self.up

    def _code_size(self) -> int:
        return self.k
