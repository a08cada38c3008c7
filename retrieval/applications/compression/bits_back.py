"""Lossless compression of pictures with a variational autoencoder: bits back with asymmetric numeral systems.

To code a picture, a code z is *decoded* from the bits written so far, as if they were random, with the posterior
q(z | x); then the picture is coded with p(x | z), and z with the prior. The decoder of the file gets z and x, and codes
z with q(z | x) again: it has back the bits that chose z. A picture costs minus the ELBO on average.

References
----------
Townsend, Bird & Barber, Practical lossless compression with latent variables using bits back coding, ICLR 2019; Duda,
Asymmetric numeral systems, arXiv:1311.2540 (2013).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, BadItemError, OptionError
from encoders.neural.vae import VAE
from retrieval.applications.compression.ans_stack import AnsStack
from retrieval.applications.compression.integer_network import IntegerNetwork, fingerprint
from retrieval.applications.compression.latent_grid import LatentGrid
from retrieval.applications.compression.pixel_models import BernoulliPixels, BetaBinomialPixels

#: Bytes of the checksum of the pixels at the start of a chunk.
CHECKSUM = 8
PIXELS: dict[str, type[BernoulliPixels] | type[BetaBinomialPixels]] = {
    "cross-entropy": BernoulliPixels,
    "beta-binomial": BetaBinomialPixels,
}


class BitsBack:
    """Codes chunks of pictures without loss. The pictures of a chunk depend on each other; chunks do not.

    Encoder and decoder of the autoencoder are computed in integers, and probabilities are whole numbers with the sum
    2^24: a chunk is decoded bit for bit on every machine. Only the first picture of a chunk gives no bits back: there
    are none yet.

    Parameters
    ----------
    vae : VAE
        Fitted with the loss cross-entropy (pixels 0 and 1) or beta-binomial (grey levels 0 to 255).
    bits : int
        Each component of a code has 2^bits buckets.

    Examples
    --------
    >>> rows = (np.random.default_rng(0).random((64, 12)) < 0.2).astype(np.uint8)
    >>> coder = BitsBack(VAE((8, 2), epochs=2).fit(rows.astype(np.float32)))
    >>> bool((coder.decompress(coder.compress(rows), 64) == rows).all())
    True
    """

    def __init__(self, vae: VAE, bits: int = 10) -> None:
        _ = vae.space
        if vae.likelihood not in PIXELS:
            raise OptionError(
                "lossless compression needs the probability of every pixel, which a vae has with "
                f"loss={' or loss='.join(PIXELS)}; this one was trained with loss={vae.likelihood}"
            )
        self.pixels = PIXELS[vae.likelihood]()
        self.grid = LatentGrid(bits)
        self._posterior = IntegerNetwork(vae.encoder)
        self._likelihood = IntegerNetwork([*vae.decoder[:-1], replace(vae.decoder[-1], activation="linear")])

        outputs = {"cross-entropy": 1, "beta-binomial": 2}[vae.likelihood] * self._posterior.n_inputs
        if (self._posterior.n_outputs, self._likelihood.n_outputs) != (2 * self._likelihood.n_inputs, outputs):
            raise ArtifactError("the widths of the networks do not fit each other: the encoder is damaged")

    @property
    def width(self) -> int:
        """Number of pixels of a picture."""
        return self._posterior.n_inputs

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all integers of the model: equal on two machines if each decodes what the other compresses."""
        return fingerprint(self._posterior, self._likelihood, self.grid, self.pixels)

    def compress(self, levels: NDArray[np.uint8]) -> bytes:
        """Return a chunk of pictures as bytes, the checksum of the pixels first.

        Parameters
        ----------
        levels : ndarray uint8 (n, dim)
            0 and 1 for a vae with cross-entropy, 0 to 255 for beta-binomial.

        Raises
        ------
        BadItemError
            When the pictures have other pixels than the autoencoder.
        """
        self._require(levels)
        coder = AnsStack()
        means, log_variances = np.split(self._posterior(self.pixels.inputs(levels)), 2, axis=1)
        for row in reversed(range(len(levels))):
            if row == len(levels) - 1:
                code = self.grid.nearest(means[row])
            else:
                code = coder.pop_each(self.grid.frequencies(means[row], log_variances[row]))
            coder.push_each(levels[row].astype(np.int32), self._frequencies(code))
            coder.push_uniform(code, self.grid.size)
        return checksum(levels) + coder.to_bytes()

    def decompress(self, chunk: bytes, count: int) -> NDArray[np.uint8]:
        """Return the pictures of a chunk, uint8 (count, dim).

        Raises
        ------
        ArtifactError
            When the chunk is damaged, or was made with another model.
        """
        levels = np.empty((count, self.width), dtype=np.uint8)
        try:
            coder = AnsStack(chunk[CHECKSUM:])
        except ValueError as error:
            raise ArtifactError(f"a chunk is damaged: {error}") from None
        for row in range(count):
            code = coder.pop_uniform(self._likelihood.n_inputs, self.grid.size)
            levels[row] = coder.pop_each(self._frequencies(code))
            if row < count - 1:
                both = self._posterior(self.pixels.inputs(levels[row : row + 1]))[0]
                coder.push_each(code, self.grid.frequencies(*np.split(both, 2)))
        if chunk[:CHECKSUM] != checksum(levels) or not coder.is_empty:
            raise ArtifactError("a chunk is damaged: the pixels decoded from it do not have the checksum beside them")
        return levels

    def _frequencies(self, code: NDArray[np.int32]) -> NDArray[np.float32]:
        return self.pixels.frequencies(self._likelihood(self.grid.medians[code][None])[0])

    def _require(self, levels: NDArray[Any]) -> None:
        if levels.dtype != np.uint8 or levels.ndim != 2 or levels.shape[1] != self.width:
            raise BadItemError(
                f"the autoencoder reads rows of {self.width:,} pixels as uint8; got {levels.dtype} of shape "
                f"{levels.shape}"
            )
        if levels.size and levels.max() >= self.pixels.levels:
            raise BadItemError(
                f"the autoencoder knows pixels of 0 and 1 only, but one is {levels.max()}: train it with "
                "loss=beta-binomial, or make the pictures black and white"
            )


def checksum(levels: NDArray[np.uint8]) -> bytes:
    """Return the first bytes of the SHA-256 of some pictures."""
    return hashlib.sha256(np.ascontiguousarray(levels).tobytes()).digest()[:CHECKSUM]
