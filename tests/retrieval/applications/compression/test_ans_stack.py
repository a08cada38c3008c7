"""The one coder of both methods: last in, first out; what is no stack is refused."""

import numpy as np
import pytest

from retrieval.applications.compression.ans_stack import AnsStack
from retrieval.applications.compression.integer_model import integer_model


def test_symbols_of_every_sort_come_back_in_their_order():
    rng, model = np.random.default_rng(0), integer_model(np.array([2**15, 2**14, 2**14]))
    symbols = rng.integers(0, 3, 100).astype(np.int32)
    numbers = rng.integers(0, 1000, 50).astype(np.int32)
    whole = (1 << 24) - 2
    ones = rng.integers(0, whole, 80)
    frequencies = np.stack([whole - ones, ones], axis=1).astype(np.float32)
    bits = rng.integers(0, 2, 80).astype(np.int32)
    stack = AnsStack()
    stack.push(symbols, model)
    stack.push_uniform(numbers, 1000)
    stack.push_each(bits, frequencies)
    again = AnsStack(stack.to_bytes())
    np.testing.assert_array_equal(again.pop_each(frequencies), bits)
    np.testing.assert_array_equal(again.pop_uniform(50, 1000), numbers)
    assert not again.is_empty
    np.testing.assert_array_equal(again.pop(model, 100), symbols)
    assert again.is_empty


def test_an_empty_stack_has_no_bytes():
    assert AnsStack().to_bytes() == b""
    assert AnsStack(b"").is_empty


@pytest.mark.parametrize(("words", "sentence"), [(b"abc", "not a whole number"), (b"abcd\0\0\0\0", "last word is 0")])
def test_what_is_no_stack_is_refused(words, sentence):
    with pytest.raises(ValueError, match=sentence):
        AnsStack(words)
