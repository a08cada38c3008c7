"""The feature pyramid as an autoencoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from encoders.codes import Space
from encoders.errors import OptionError
from encoders.neural.picture_autoencoder import PictureAutoencoder
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class FpnAutoencoder(PictureAutoencoder):
    """Feature-pyramid autoencoder: a convolutional autoencoder with lateral connections at every level.

    Use it when you restore pictures and want codes at several levels of detail.

    `code` says which features are the code: the ``bottleneck`` of `n_components` numbers; ``level-1`` (the finest) and
    so on, averaged to at most 7x7 positions; ``pooled``, the mean of every level, concatenated. ``paths=false`` is the
    same network without lateral connections, to measure what they contribute.

    Examples
    --------
    >>> import numpy as np
    >>> from encoders.registry import create
    >>> pictures = np.random.default_rng(0).integers(0, 256, (16, 8, 8), dtype=np.uint8)
    >>> encoder = create("pixels+fpn-ae:5,channels=4-8,code=pooled,epochs=1").fit(pictures)
    >>> encoder.encode(pictures).shape, encoder.reconstruct(pictures).shape
    ((16, 8), (16, 8, 8))

    References
    ----------
    Lin, Dollar, Girshick, He, Hariharan & Belongie, Feature pyramid networks for object detection, CVPR 2017,
    section 3.
    """

    name: ClassVar[str] = "fpn-ae"
    n_components: int = option(30, "Width of the bottleneck.", ge=1)
    code: str = option("bottleneck", "Features that are the code: bottleneck, pooled, or level-1, level-2, ...")
    paths: bool = option(True, "Use the lateral connections.")

    def __post_init__(self) -> None:
        super().__post_init__()
        levels = [f"level-{number}" for number in range(1, len(self.channels) + 1)]
        if self.code not in ("bottleneck", "pooled", *levels):
            raise OptionError(f"fpn-ae: code is one of bottleneck, pooled, {', '.join(levels)}; got '{self.code}'")
        if not self.paths and self.code != "bottleneck":
            raise OptionError(f"fpn-ae: without paths only the bottleneck is a code; got code={self.code}")

    @property
    def _paths(self) -> str:
        return "pyramid" if self.paths else "cut pyramid"

    def _code_size(self) -> int:
        return self.n_components

    def _code_of(self, network: Any, rows: Tensor) -> Tensor:
        if self.code == "bottleneck":
            return super()._code_of(network, rows)
        code: Tensor = network.pyramid_code(rows, self.code)
        return code

    def _space_of_codes(self) -> Space:
        width = int(np.prod(self._trained.shape))
        return replace(super()._space_of_codes(), dim=self._encode(np.zeros((1, width), dtype=np.float32)).shape[1])
