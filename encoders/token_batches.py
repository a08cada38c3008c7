"""Texts embedded in batches of about equal length: little padding, and matrices that stay small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from encoders.torch_device import autocast, device_or_cpu

#: Tokens of a batch on the CPU. A batch of 8,192 tokens took half as long again for each text; activations over 32 MiB,
#: which the C library takes from the system for every layer, are the likely cause.
CPU_TOKENS = 2048


def embedded(
    network: Any,
    texts: list[str],
    method: str,
    batch_size: int,
    bf16: bool = False,
    device: str = "cpu",
    prompt: str | None = None,
) -> Codes:
    """Return the embeddings of texts by the model's `method`: ``encode_document`` or ``encode_query``.

    `prompt` is put before each text; None: the model's own for this method.
    """
    import torch

    here = device_or_cpu(device)
    codes: Any = None
    with autocast(torch.bfloat16 if bf16 else None, here):
        for rows in token_batches(network, texts, batch_size, here):
            some = getattr(network, method)(
                [texts[row] for row in rows],
                prompt=prompt,
                batch_size=len(rows),
                show_progress_bar=False,  # the caller shows one
                convert_to_numpy=True,
                device=here,
            )
            if codes is None:
                codes = np.empty((len(texts), some.shape[1]), np.float32)
            codes[rows] = some
    return codes


def token_batches(network: Any, texts: Sequence[str], batch_size: int, device: str) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of texts of about equal length: at most `batch_size`, and on the CPU about 2,048 tokens.

    Texts without a fast tokenizer are measured by their bytes, of which a token has about four.
    """
    max_tokens = CPU_TOKENS if device == "cpu" else None
    yield from batches_of(_lengths(network, texts), batch_size, max_tokens)


def batches_of(lengths: NDArray[np.int64], batch_size: int, max_tokens: int | None) -> Iterator[NDArray[np.int64]]:
    """Yield rows, the longest first; several in a batch have at most `max_tokens` tokens, with their padding.

    Examples
    --------
    >>> [rows.tolist() for rows in batches_of(np.array([3, 9, 4, 1]), 2, 10)]
    [[1], [2, 0], [3]]
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        size = batch_size if max_tokens is None else max(1, min(batch_size, max_tokens // longest))
        yield order[start : start + size]
        start += size


def _lengths(network: Any, texts: Sequence[str]) -> NDArray[np.int64]:
    tokenizer: Any = getattr(network, "tokenizer", None)
    limit = network.max_seq_length
    if len(texts) == 1 or not getattr(tokenizer, "is_fast", False):
        n_tokens = [len(text.encode("utf-8", "replace")) // 4 + 2 for text in texts]
    else:
        n_tokens = [len(ids) for ids in tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]]
    lengths = np.array(n_tokens, np.int64)
    return lengths if not isinstance(limit, int) else np.minimum(lengths, max(1, limit))
