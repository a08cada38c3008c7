"""Laws of bits back: every picture returns bit for bit, its price is minus the ELBO, damage is found."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from encoders.errors import ArtifactError, BadItemError, NotFittedError, OptionError
from encoders.neural.layers import Layer
from encoders.neural.reconstruction_loss import ReconstructionLoss
from encoders.neural.vae import VAE
from retrieval.applications.compression.bits_back import CHECKSUM, BitsBack
from retrieval.applications.compression.latent_grid import PRECISION

GREY = np.rint(load_digits().data * 255 / 16).astype(np.uint8)
BINARY = (GREY > 127).astype(np.uint8)
LOSSES = {"cross-entropy": BINARY, "beta-binomial": GREY}
TOP = {"cross-entropy": 1, "beta-binomial": 255}


def floats(loss: str, levels: np.ndarray) -> np.ndarray:
    return (levels / np.float32(TOP[loss])).astype(np.float32)


@pytest.fixture(scope="module", params=LOSSES)
def loss(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def vae(loss) -> VAE:
    return VAE((48, 8), loss=loss, epochs=20, batch_size=64, learning_rate=0.01).fit(floats(loss, LOSSES[loss][:1200]))


@pytest.fixture(scope="module")
def coder(vae) -> BitsBack:
    return BitsBack(vae)


def test_digits_return_bit_for_bit(coder, loss):
    digits = LOSSES[loss][1200:1500]
    np.testing.assert_array_equal(coder.decompress(coder.compress(digits), 300), digits)


@pytest.mark.parametrize("kind", ["random", "black", "white", "one", "two", "none"])
def test_any_pictures_return_bit_for_bit(coder, loss, kind):
    rng = np.random.default_rng(1)
    levels = {
        "random": rng.integers(0, TOP[loss] + 1, (40, 64)),
        "black": np.zeros((40, 64)),
        "white": np.full((40, 64), TOP[loss]),
        "one": LOSSES[loss][:1],
        "two": LOSSES[loss][:2],
        "none": np.zeros((0, 64)),
    }[kind].astype(np.uint8)
    chunk = coder.compress(levels)
    found = coder.decompress(chunk, len(levels))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, levels)
    if kind == "none":
        assert len(chunk) == CHECKSUM


def test_chunks_do_not_depend_on_each_other(coder, loss):
    digits = LOSSES[loss][:100]
    chunks = [coder.compress(digits[start : start + 33]) for start in range(0, 100, 33)]
    counts = [33, 33, 33, 1]
    for number in (3, 0, 2, 1):  # in any order
        found = coder.decompress(chunks[number], counts[number])
        np.testing.assert_array_equal(found, digits[33 * number : 33 * number + counts[number]])
    assert chunks[1] == coder.compress(digits[33:66])


@pytest.mark.parametrize("bits", [8, 12])
def test_the_price_is_minus_the_bound(vae, loss, bits):
    digits = LOSSES[loss]
    bound = -vae.elbo(floats(loss, digits), draws=30).mean() / np.log(2)
    # the first picture gives back nothing: it costs the whole code, known exactly
    net = 8 * (len(BitsBack(vae, bits).compress(digits)) - CHECKSUM) - bits * vae.space.dim
    assert net / len(digits) == pytest.approx(bound, rel=0.02)


def test_a_trained_network_beats_an_untrained_one_and_pixels_one_by_one(vae, coder, loss):
    digits = LOSSES[loss][1200:1700]
    size = len(coder.compress(digits))
    other = VAE((48, 8), loss=loss, epochs=1, learning_rate=1e-9).fit(floats(loss, LOSSES[loss][:1200]))
    untrained = BitsBack(other)
    chunk = untrained.compress(digits)
    np.testing.assert_array_equal(untrained.decompress(chunk, 500), digits)
    assert size < 0.9 * len(chunk)


def test_a_damaged_chunk_is_refused(coder, loss):
    digits = LOSSES[loss][:60]
    chunk = coder.compress(digits)
    for at in (*range(0, CHECKSUM, 3), *range(CHECKSUM, len(chunk), max(1, len(chunk) // 23)), len(chunk) - 1):
        damaged = bytearray(chunk)
        damaged[at] ^= 0x11
        with pytest.raises(ArtifactError, match="chunk is damaged"):
            coder.decompress(bytes(damaged), 60)
    for damaged in (b"", chunk[:5], chunk[:CHECKSUM], chunk[:-1], chunk[:-4], chunk + b"\0\0\0\0", chunk + b"\1\0\0\0"):
        with pytest.raises(ArtifactError, match="chunk is damaged"):
            coder.decompress(damaged, 60)
    for count in (59, 61):
        with pytest.raises(ArtifactError, match="chunk is damaged"):
            coder.decompress(chunk, count)


def test_another_model_does_not_return_other_pictures_silently(vae, coder, loss):
    other = BitsBack(VAE((48, 8), loss=loss, epochs=1, seed=5).fit(floats(loss, LOSSES[loss][:200])))
    assert other.fingerprint != coder.fingerprint == BitsBack(vae).fingerprint
    with pytest.raises(ArtifactError, match="chunk is damaged"):
        other.decompress(coder.compress(LOSSES[loss][:20]), 20)


def test_pictures_that_the_model_cannot_code_are_refused(coder, loss):
    for wrong in (GREY[:3, :60], GREY[0], GREY[:3].astype(np.float32)):
        with pytest.raises(BadItemError, match="rows of 64 pixels as uint8"):
            coder.compress(wrong)
    if loss == "cross-entropy":
        with pytest.raises(BadItemError, match="0 and 1 only"):
            coder.compress(GREY[:3])


def test_a_vae_without_probabilities_of_pixels_is_refused():
    with pytest.raises(OptionError, match="trained with loss=squared"):
        BitsBack(VAE((8, 2), epochs=1, loss="squared").fit(floats("beta-binomial", GREY[:50])))
    with pytest.raises(NotFittedError):
        BitsBack(VAE((8, 2)))


def test_networks_that_do_not_fit_each_other_are_refused():
    vae = made_by_rule("cross-entropy")
    vae.decoder = vae.decoder[:1]
    with pytest.raises(ArtifactError, match="do not fit each other"):
        BitsBack(vae)


DECODE = """
import sys
import numpy as np
from encoders.base import Encoder
from retrieval.applications.compression.bits_back import BitsBack
folder = sys.argv[1]
coder = BitsBack(Encoder.load(folder + "/encoder"))
np.save(folder + "/decoded.npy", coder.decompress(open(folder + "/chunk", "rb").read(), 80))
print(coder.fingerprint)
"""
#: Another processor: no vector instructions in NumPy, the matrix products of an old one.
OTHER_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_ICL AVX512_SPR AVX2 FMA3",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "1",
}


@pytest.mark.parametrize("settings", [{}, OTHER_PROCESSOR], ids=["same", "another processor"])
def test_another_process_decodes_what_this_one_encodes(vae, coder, loss, tmp_path, settings):
    vae.save(tmp_path / "encoder")
    (tmp_path / "chunk").write_bytes(coder.compress(LOSSES[loss][:80]))
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4]), "PYTHONWARNINGS": "ignore", **settings}
    ended = subprocess.run([sys.executable, "-c", DECODE, str(tmp_path)], env=settings, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == coder.fingerprint
    np.testing.assert_array_equal(np.load(tmp_path / "decoded.npy"), LOSSES[loss][:80])


def made_by_rule(loss: str) -> VAE:
    """Return an autoencoder whose weights are simple fractions, the same on every machine."""
    vae = VAE((16, 3), loss=loss)
    vae._reconstruction_loss = ReconstructionLoss(loss, "sigmoid" if loss == "cross-entropy" else "beta-mean")
    vae._space = VAE((16, 3), epochs=1).fit(floats("cross-entropy", BINARY[:20])).space

    def layer(before: int, after: int, activation: str) -> Layer:
        weight = (np.arange(before * after).reshape(after, before) * 37 % 101 - 50) / np.float32(256)
        return Layer(weight.astype(np.float32), (np.arange(after) % 7 - 3) / np.float32(8), activation)

    outputs = 64 if loss == "cross-entropy" else 128
    vae.encoder = [layer(64, 16, "silu"), layer(16, 6, "linear")]
    vae.decoder = [layer(3, 16, "silu"), layer(16, outputs, "sigmoid")]
    return vae


@pytest.mark.parametrize(
    ("loss", "known"), [("cross-entropy", "4b307386a76c82c5"), ("beta-binomial", "b556322517070756")]
)
def test_the_bytes_are_those_of_every_other_machine_and_of_a_coder_of_whole_numbers(loss, known):
    coder = BitsBack(made_by_rule(loss))
    chunk = coder.compress(LOSSES[loss][:30])
    assert hashlib.sha256(chunk).hexdigest()[:16] == known
    assert np.frombuffer(chunk[CHECKSUM:], "<u4").tolist() == words_of_whole_numbers(coder, LOSSES[loss][:30])


def words_of_whole_numbers(coder: BitsBack, levels: np.ndarray) -> list[int]:
    """Return the words of a chunk, by range ANS (Duda 2013) on Python's integers: the definition of the format."""
    state, words = 0, []

    def push(starts: list[int], symbol: int) -> None:
        nonlocal state
        start, frequency = starts[symbol], starts[symbol + 1] - starts[symbol]
        if state >= frequency << (64 - PRECISION):
            words.append(state & 0xFFFFFFFF)
            state >>= 32
        state = (state // frequency << PRECISION) + start + state % frequency

    def pop(starts: list[int]) -> int:
        nonlocal state
        slot = state & ((1 << PRECISION) - 1)
        symbol = int(np.searchsorted(starts, slot, side="right")) - 1
        state = (starts[symbol + 1] - starts[symbol]) * (state >> PRECISION) + slot - starts[symbol]
        if state < 1 << 32 and words:
            state = state << 32 | words.pop()
        return symbol

    def starts_of(less_one: np.ndarray) -> list[list[int]]:
        starts = np.cumsum(less_one.astype(np.int64) + 1, axis=1)
        assert (starts[:, -1] == 1 << PRECISION).all()
        return [[0, *row] for row in starts.tolist()]

    uniform = list(range(0, (1 << PRECISION) + 1, (1 << PRECISION) // coder.grid.size))
    for row in reversed(range(len(levels))):
        mean, log_variance = np.split(coder._posterior(coder.pixels.inputs(levels[row : row + 1]))[0], 2)
        if row == len(levels) - 1:
            code = coder.grid.nearest(mean)
        else:
            code = np.array([pop(starts) for starts in starts_of(coder.grid.frequencies(mean, log_variance))])
        for starts, level in list(zip(starts_of(coder._frequencies(code)), levels[row], strict=True))[::-1]:
            push(starts, int(level))
        for symbol in code[::-1]:
            push(uniform, int(symbol))
    while state:
        words.append(state & 0xFFFFFFFF)
        state >>= 32
    return words
