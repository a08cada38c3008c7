"""Our search for words beside bm25s and tantivy: the same words, the index alone."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from alternating import alternating

from encoders.cpu_count import available_cores
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus


def against_bm25s() -> dict[str, Any]:
    """Answer the SciFact queries, tokenised and encoded beforehand on both sides: the index alone."""
    figures: dict[str, Any] = {}
    for name in ("scifact", "arxiv-80k"):
        items = list(open_corpus(name))
        asked = [str(query.content) for query in open_corpus("scifact").queries()]
        figures[name] = bm25_on([str(item.content) for item in items], [item.id for item in items], asked)
    return figures


def bm25_on(texts: list[str], ids: list[str], asked: list[str]) -> dict[str, Any]:
    import bm25s

    encoder = create("bm25:k1=1.5").fit(texts)
    index = create_index("sparse", encoder.space)
    index.add(ids, encoder.encode(texts))
    queries = encoder.encode_queries(asked)
    # the same tokens for both: bm25s gets each text as the words of our vocabulary
    words = np.array(encoder.vocabulary)
    tokens = [as_words(words, row) for row in rows_of(encoder.counts(texts))]  # type: ignore[attr-defined]
    query_tokens = [as_words(words, row) for row in rows_of(queries)]
    figures: dict[str, Any] = {"items": len(texts), "queries": len(asked)}
    for backend in ("numpy", "numba"):
        if backend == "numba" and importlib.util.find_spec("numba") is None:
            figures["bm25s numba"] = "numba is not installed"
            continue
        raw = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend=backend)
        raw.index(tokens, show_progress=False)

        def ours() -> None:
            index.search(queries, 10)

        def theirs(raw: Any = raw) -> None:
            raw.retrieve(query_tokens, k=10, show_progress=False, n_threads=available_cores())

        row: dict[str, Any] = alternating(ours, theirs, 41)  # some milliseconds each
        row["ours_queries_per_second"] = len(asked) / row["ours_seconds"]
        row["theirs_queries_per_second"] = len(asked) / row["theirs_seconds"]
        found = index.search_rows(queries, 10).scores
        other = raw.retrieve(query_tokens, k=10, show_progress=False).scores
        row["largest_difference_of_scores"] = float(np.abs(np.where(found > 0, found, 0) - other).max())
        figures[f"bm25s {backend}"] = row
    figures["tantivy"] = beside_tantivy(index, queries, tokens, query_tokens)
    return figures


def beside_tantivy(index: Any, queries: Any, tokens: list[list[str]], asked: list[list[str]]) -> Any:
    """Answer the same queries by tantivy, in memory, with its own k1 = 1.2 and lengths rounded to a byte.

    Scores therefore differ a little; the share of our first ten that is among its first ten is measured. Its searcher
    is asked by as many threads as there are cores, as it has no search for many queries.
    """
    if importlib.util.find_spec("tantivy") is None:
        return "tantivy is not installed"
    import tantivy

    schema = tantivy.SchemaBuilder().add_text_field("words", tokenizer_name="whitespace", index_option="freq")
    schema = schema.add_integer_field("row", stored=True).build()
    other = tantivy.Index(schema)
    writer = other.writer(num_threads=available_cores(), heap_size=256 * 2**20)
    for row, words in enumerate(tokens):
        writer.add_document(tantivy.Document(words=" ".join(words), row=row))
    writer.commit()
    writer.wait_merging_threads()
    other.reload()
    searcher = other.searcher()
    terms = [
        tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "words", word)) for word in words]
        )
        for words in asked
    ]

    def ours() -> None:
        index.search(queries, 10)

    with ThreadPoolExecutor(available_cores()) as threads:
        row: dict[str, Any] = alternating(
            ours, lambda: list(threads.map(lambda query: searcher.search(query, 10, count=False), terms)), 5
        )
    row["ours_queries_per_second"] = len(asked) / row["ours_seconds"]
    row["theirs_queries_per_second"] = len(asked) / row["theirs_seconds"]
    found = index.search_rows(queries, 10).rows
    theirs = [
        {searcher.doc(address)["row"][0] for _, address in searcher.search(query, 10, count=False).hits}
        for query in terms
    ]
    same = [len(some & set(rows.tolist())) for some, rows in zip(theirs, found, strict=True)]
    row["same_of_first_ten"] = sum(same) / (10 * len(asked))
    return row


def rows_of(matrix: Any) -> list[Any]:
    return [
        np.repeat(matrix.indices[start:stop], matrix.data[start:stop].astype(int))
        for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    ]


def as_words(words: Any, places: Any) -> list[str]:
    return list(words[places].tolist())
