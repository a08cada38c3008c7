"""The feature pyramid as an autoencoder: levels of one width, each of which can be the code."""

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
    """Pictures to `k` numbers, and back through a pyramid to which every level's features are added.

    `code` says what is searched: the ``bottleneck`` of `k` numbers; ``level-1`` (the finest) and so on, averaged to at
    most 7x7 places; ``pooled``, the mean of every level, one after the other. ``paths=false`` is the same network in
    which nothing passes beside the code: what the paths gain is measured against it.

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
    k: int = option(30, "numbers of the bottleneck", ge=1)
    code: str = option("bottleneck", "what is searched: bottleneck, pooled, or level-1, level-2, ...")
    paths: bool = option(True, "add the features of each level beside the code")

    def __post_init__(self) -> None:
        super().__post_init__()
        levels = [f"level-{place}" for place in range(1, len(self.channels) + 1)]
        if self.code not in ("bottleneck", "pooled", *levels):
            raise OptionError(f"fpn-ae: code is one of bottleneck, pooled, {', '.join(levels)}; got '{self.code}'")
        if not self.paths and self.code != "bottleneck":
            raise OptionError(f"fpn-ae: without paths only the bottleneck is a code; got code={self.code}")

    @property
    def _paths(self) -> str:
        return "pyramid" if self.paths else "cut pyramid"

    def _code_size(self) -> int:
        return self.k

    def _code_of(self, network: Any, rows: Tensor) -> Tensor:
        if self.code == "bottleneck":
            return super()._code_of(network, rows)
        code: Tensor = network.pyramid_code(rows, self.code)
        return code

    def _space_of_codes(self) -> Space:
        width = int(np.prod(self._trained.shape))
        return replace(super()._space_of_codes(), dim=self._encode(np.zeros((1, width), dtype=np.float32)).shape[1])
