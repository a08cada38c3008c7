"""The default spaces of a corpus, for a user who names none."""

from __future__ import annotations

import numpy as np

from encoders.codes import Modality
from encoders.row import Row
from retrieval.corpora.base import Corpus

#: Widths of the latent spaces, where the corpus is large enough for them.
TEXT_WIDTH, IMAGE_WIDTH, SOUND_WIDTH, ROW_WIDTH = 128, 30, 50, 8


def default_spaces(corpus: Corpus) -> list[str]:
    """Return three or four specs that suit the modality: the items as they are, latent spaces, and a baseline.

    The latent spaces are narrower where the corpus is small: a quarter of its items, and of the width of its vectors,
    or half of the columns of its table; of texts, no wider than the vocabulary.

    Examples
    --------
    >>> from retrieval.corpora.registry import open_corpus
    >>> default_spaces(open_corpus("digits"))
    ['pixels', 'pixels+pca:16', 'pixels+nmf:16', 'pixels+random-projection:16']
    """
    count = corpus.size if corpus.size is not None else sum(1 for _ in corpus)
    widest = max(1, count // 4)
    if corpus.modality is Modality.TEXT:
        return ["bm25", "tfidf", f"tfidf+lsa:{_count_terms(corpus, min(TEXT_WIDTH, widest))}"]
    if corpus.modality is Modality.SOUND:
        return ["log-mel", f"log-mel+pca:{min(SOUND_WIDTH, widest)}", "log-mel:pool=mean"]
    if corpus.modality is Modality.ROW:
        row = next((item.content for item in corpus if isinstance(item.content, Row)), Row((), ()))
        narrow = min(ROW_WIDTH, widest, max(1, len(row.names) // 2))  # each column has at least one component
        return ["columns", f"columns+pca:{narrow}", f"columns+random-projection:{narrow}"]
    first = next(iter(corpus), None)
    width = int(first.content.size) if first is not None and isinstance(first.content, np.ndarray) else 1
    narrow = max(1, min(IMAGE_WIDTH, widest, width // 4))
    if corpus.modality is Modality.IMAGE:
        return ["pixels", *(f"pixels+{name}:{narrow}" for name in ("pca", "nmf", "random-projection"))]
    return ["vectors", *(f"vectors+{name}:{narrow}" for name in ("pca", "random-projection")), "vectors+binarize"]


def _count_terms(corpus: Corpus, limit: int) -> int:
    """Return the number of terms that `tfidf` takes from the texts, from 1 to a limit at which reading stops."""
    from encoders.text.tokens import stop_words, words

    stop, terms = stop_words("english"), set[str]()
    for item in corpus:
        terms.update(word for word in words(str(item.content)) if word not in stop)
        if len(terms) >= limit:
            return limit
    return max(1, len(terms))
