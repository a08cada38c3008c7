"""The U-Net as an autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from encoders.neural.picture_autoencoder import PictureAutoencoder
from encoders.options import option


@dataclass
class UnetAutoencoder(PictureAutoencoder):
    """U-Net autoencoder: a convolutional autoencoder with skip connections beside the code.

    Use it when you clean or restore pictures.

    The skip connections make the reconstruction nearly perfect and leave the code little to represent: measure the
    space before you search it. ``paths=false`` is the same network without skip connections.

    Examples
    --------
    >>> import numpy as np
    >>> from encoders.registry import create
    >>> pictures = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    >>> encoder = create("pixels+unet-ae:5,channels=4-8,epochs=1").fit(pictures)
    >>> encoder.encode(pictures).shape, encoder.reconstruct(pictures).shape
    ((16, 5), (16, 8, 8))

    References
    ----------
    Ronneberger, Fischer & Brox, U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015.
    """

    name: ClassVar[str] = "unet-ae"
    n_components: int = option(30, "Width of the code.", ge=1)
    paths: bool = option(True, "Use the skip connections.")

    @property
    def _up(self) -> str:
        return "deconv"

    @property
    def _paths(self) -> str:
        return "concat" if self.paths else "none"

    def _code_size(self) -> int:
        return self.n_components
