"""Semantic hashing: binary codes of an autoencoder; similar items differ in few bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from encoders.codes import Codes, Items, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.neural.layers import forward
from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor


@dataclass
class SemanticHash(PerceptronAutoencoder):
    """Semantic hashing: a deep autoencoder whose code is bits, compared by Hamming distance.

    Use it when you need short codes for millions of items, or a shortlist that another space re-ranks.

    In training the code is a sigmoid. ``noise`` adds Gaussian noise before it, so that only values near 0 and 1 carry
    information; ``straight-through`` rounds the sigmoid and passes its gradient on unchanged. With ``norm=batch`` the
    code is normalised too, so that each bit is 1 for about half of the items.

    Examples
    --------
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = SemanticHash(12, hidden=(16,), epochs=2).fit(rows)
    >>> encoder.encode(rows).shape, encoder.decode(encoder.encode(rows)).shape
    ((64, 2), (64, 8))

    References
    ----------
    Salakhutdinov & Hinton, Semantic hashing, International Journal of Approximate Reasoning 50, 2009, section 3;
    Krizhevsky & Hinton, Using very deep autoencoders for content-based image retrieval, ESANN 2011; Bengio, Leonard &
    Courville, Estimating or propagating gradients through stochastic neurons, 2013 (straight-through).
    """

    name: ClassVar[str] = "semantic-hash"
    gives_bits: ClassVar[bool] = True
    bits: int = option(32, "Number of bits of the code.", ge=1)
    hidden: tuple[int, ...] = option((500, 250), "Widths of the hidden layers between input and code.", ge=1)
    learn: str = option("noise", "How the network learns binary codes.", choices=("noise", "straight-through"))
    noise: float = option(4.0, "Standard deviation of the noise before the sigmoid.", ge=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metric != "auto":
            raise OptionError(
                f"semantic-hash: bits are compared by Hamming distance, not by {self.metric}: leave metric out"
            )

    def _sizes(self) -> tuple[int, ...]:
        return (*self.hidden, self.bits)

    @property
    def _binary_code(self) -> bool:
        return True

    def _encoder(self, width: int) -> Any:
        from torch import nn

        encoder = super()._encoder(width)
        if self.norm == "batch":
            encoder.append(nn.BatchNorm1d(self.bits))
        return encoder

    def _reconstructed(self, network: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        import torch

        logits = network["encoder"](seen)
        hard = (logits > 0).to(logits.dtype)
        if not network.training:
            code = hard
        elif self.learn == "noise":
            code = (logits + self.noise * torch.randn_like(logits)).sigmoid()
        else:
            soft = logits.sigmoid()
            code = hard + soft - soft.detach()
        return code, network["decoder"](code)

    def _space_of_codes(self) -> Space:
        return Space(self.bits, Kind.BINARY, Metric.HAMMING)

    def _encode(self, items: Any) -> Codes:
        return np.packbits(forward(self.encoder, self._scaled(items)) > 0, axis=1)

    def _decode(self, codes: Codes) -> Items:
        bits = np.unpackbits(np.asarray(codes), axis=1, count=self.bits)
        return forward(self.decoder, bits.astype(np.float32))
