"""The coder equals one of Python's whole numbers, word for word: no float decides what is written."""

import constriction
import numpy as np
import pytest

from retrieval.applications.compression.integer_model import TOTAL, integer_model, whole_frequencies

BITS = 24
AnsCoder = constriction.stream.stack.AnsCoder


def reference_words(symbols, frequencies):
    """Range ANS with a state of 64 bits and words of 32 (Duda 2013), in whole numbers."""
    scale = (1 << BITS) // int(sum(frequencies))
    frequencies = [int(one) * scale for one in frequencies]
    starts = np.concatenate([[0], np.cumsum(frequencies)]).tolist()
    state, words = 0, []
    for symbol in reversed(symbols):
        if state >= frequencies[symbol] << (64 - BITS):
            words.append(state & 0xFFFFFFFF)
            state >>= 32
        state = (state // frequencies[symbol] << BITS) + starts[symbol] + state % frequencies[symbol]
    while state:
        words.append(state & 0xFFFFFFFF)
        state >>= 32
    return words


@pytest.mark.parametrize("concentration", [0.01, 0.1, 1.0, 10.0])
def test_words_are_those_of_whole_numbers(concentration):
    rng = np.random.default_rng(0)
    for symbols in (2, 3, 17, 256, 4096):
        frequencies = whole_frequencies(rng.dirichlet(np.full(symbols, concentration)))
        message = rng.choice(symbols, size=500, p=frequencies / TOTAL).astype(np.int32)
        coder, model = AnsCoder(), integer_model(frequencies)
        coder.encode_reverse(message, model)
        words = coder.get_compressed()
        assert words.tolist() == reference_words(message.tolist(), frequencies)
        assert AnsCoder(words).decode(model, 500).tolist() == message.tolist()


def test_known_words():
    """A change of the coder between versions would make old files unreadable: these words may never change."""
    coder = AnsCoder()
    coder.encode_reverse(np.array([0, 1, 2, 2, 1, 0, 0, 2] * 4, np.int32), integer_model(np.array([65000, 500, 36])))
    assert coder.get_compressed().tolist() == KNOWN


KNOWN = [3559600128, 3590321818, 3086992184, 174295230, 3758089870, 1820359928, 188]


def test_frequencies_add_up_and_keep_proportions():
    rng = np.random.default_rng(1)
    for symbols in (2, 5, 300, 4096):
        counts = rng.integers(0, 1000, symbols)
        found = whole_frequencies(counts)
        assert found.sum() == TOTAL
        assert found.min() >= 1
        assert np.abs(found / TOTAL - counts / counts.sum()).max() < 1.1 * symbols / TOTAL
    assert len(set(whole_frequencies(np.zeros(4)).tolist())) == 1


@pytest.mark.parametrize("wrong", [[65536], [0, 65536], [1, 2], [-1, 65537], [1 << 24, 1 << 24]])
def test_other_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="whole numbers"):
        integer_model(np.array(wrong))
