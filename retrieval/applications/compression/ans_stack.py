"""A stack of symbols as 32-bit words by asymmetric numeral systems, coded with whole frequencies alone.

References
----------
.. [1] Duda, Asymmetric numeral systems, arXiv:1311.2540, 2013.
.. [2] Bamler, Understanding Entropy Coding With Asymmetric Numeral Systems, arXiv:2201.01741, 2022: constriction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class AnsStack:
    """constriction's coder, which is given whole numbers only: the same bytes on every machine.

    Parameters
    ----------
    words : bytes
        What `to_bytes` returned; the symbols pushed last come out first.

    Raises
    ------
    ValueError
        When they are no words of a stack.

    Examples
    --------
    >>> from retrieval.applications.compression.integer_model import integer_model
    >>> model, stack = integer_model(np.array([3, 1])), AnsStack()
    >>> stack.push(np.array([0, 1, 0], np.int32), model)
    >>> AnsStack(stack.to_bytes()).pop(model, 3).tolist()
    [0, 1, 0]
    """

    def __init__(self, words: bytes = b"") -> None:
        import constriction

        self._model = constriction.stream.model
        self._family = self._model.Categorical(perfect=False)
        if len(words) % 4:
            raise ValueError(f"{len(words):,} bytes are not a whole number of 32-bit words")
        numbers = np.frombuffer(words, "<u4").astype(np.uint32)
        if len(numbers) and not numbers[-1]:
            raise ValueError("its last word is 0, which is never written")
        coder = constriction.stream.stack.AnsCoder
        self._stack = coder(numbers) if len(numbers) else coder()

    def push(self, symbols: NDArray[np.int32], model: Any) -> None:
        """Add symbols (n,), all with one model of `integer_model`; the first comes out first."""
        self._stack.encode_reverse(symbols, model)

    def pop(self, model: Any, count: int) -> NDArray[np.int32]:
        """Take symbols (count,), all with one model."""
        return np.asarray(self._stack.decode(model, count))

    def push_each(self, symbols: NDArray[np.int32], frequencies: NDArray[np.float32]) -> None:
        """Add symbols (n,), each with its own frequencies (n, symbols): whole numbers, 1 less than the frequency.

        Each row has the sum 2^24 less the number of symbols, so nothing is scaled or rounded (see `integer_model`).
        """
        self._stack.encode_reverse(symbols, self._family, frequencies)

    def pop_each(self, frequencies: NDArray[np.float32]) -> NDArray[np.int32]:
        """Take symbols (n,), each with its own frequencies."""
        return np.asarray(self._stack.decode(self._family, frequencies))

    def push_uniform(self, symbols: NDArray[np.int32], size: int) -> None:
        """Add whole numbers (n,) below `size`, all equally probable."""
        self._stack.encode_reverse(symbols, self._model.Uniform(size))

    def pop_uniform(self, count: int, size: int) -> NDArray[np.int32]:
        """Take whole numbers (count,) below `size`."""
        return np.asarray(self._stack.decode(self._model.Uniform(size), count))

    @property
    def is_empty(self) -> bool:
        """Whether all symbols were taken."""
        return bool(self._stack.is_empty())

    def to_bytes(self) -> bytes:
        """Return the words, each of 4 bytes, the least significant byte first."""
        return np.asarray(self._stack.get_compressed(), np.uint32).astype("<u4").tobytes()
