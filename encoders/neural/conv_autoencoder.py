"""The convolutional autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from encoders.neural.picture_autoencoder import PictureAutoencoder
from encoders.options import option


@dataclass
class ConvAutoencoder(PictureAutoencoder):
    """Convolutional autoencoder: convolution and pooling down to the code, and back up.

    Use it when you want short codes of pictures from which the pictures can be reconstructed.

    `up` says how the decoder undoes pooling: ``deconv``, a transposed convolution; ``repeat``, each value four times;
    ``index``, each value at the position of the maximum. ``index`` passes these positions from the encoder to the
    decoder, so a code alone cannot be decoded: use `reconstruct`.

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
    (unpooling with stored positions).
    """

    name: ClassVar[str] = "conv-ae"
    n_components: int = option(30, "Width of the code.", ge=1)
    up: str = option("deconv", "How the decoder undoes pooling.", choices=("deconv", "repeat", "index"))

    @property
    def _up(self) -> str:
        return self.up

    def _code_size(self) -> int:
        return self.n_components
