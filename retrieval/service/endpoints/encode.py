"""Codes of queries: in a space's own form, or as embeddings for OpenAI's clients."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Modality, normalized
from retrieval.collection.base import Collection
from retrieval.search.new_categories import say_new_categories
from retrieval.search.searcher import encode_queries, input_for
from retrieval.service import limits
from retrieval.service.bodies import EmbeddingsBody, EncodeBody
from retrieval.service.endpoints.search import query_of
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.encode import Embedding, EmbeddingsReply, EncodeReply, Usage


def encode(collection: Collection, asked: OperationRequest) -> EncodeReply:
    """Return the code of every query in one space."""
    body: EncodeBody = asked.body
    encoder = collection.space(body.space).encoder
    _require_bounded(encoder, len(body.queries))
    queries = [query_of(collection, query) for query in body.queries]
    codes, refused = encode_queries(encoder, [input_for(encoder, query) for query in queries])
    for position, error in enumerate(refused):
        if error is not None:
            raise Problem(422, str(error) if len(refused) == 1 else f"query {position}: {error}")
    for query in queries:
        say_new_categories(encoder, query)
    space = encoder.space
    return EncodeReply(
        space=str(encoder), dim=space.dim, kind=str(space.kind), metric=str(space.metric), codes=_plain(encoder, codes)
    )


def _require_bounded(encoder: Encoder, n_queries: int) -> None:
    """Refuse to answer more numbers than one answer should have; a sparse code has few."""
    if encoder.space.kind is not Kind.SPARSE and n_queries * encoder.space.dim > limits.MAX_ANSWERED_NUMBERS:
        max_queries = limits.MAX_ANSWERED_NUMBERS // encoder.space.dim
        raise Problem(
            422, f"codes of '{encoder}' have {encoder.space.dim:,} numbers: ask for at most {max_queries:,} at a time"
        )


def _plain(encoder: Encoder, codes: Codes) -> list[Any]:
    """Return a list of numbers for each code; of a sparse one, its words and their weights."""
    if not issparse(codes):
        numbers: list[Any] = _dense(encoder, codes).astype(np.float64).tolist()
        return numbers
    words = encoder.vocabulary if len(encoder.parts) == 1 else None
    names = [words[at] if words else str(at) for at in codes.indices.tolist()]
    weights, ends = codes.data.astype(np.float64).tolist(), codes.indptr.tolist()
    return [dict(zip(names[start:end], weights[start:end], strict=True)) for start, end in pairwise(ends)]


def _dense(encoder: Encoder, codes: Codes) -> NDArray[np.float32]:
    """Return codes as numbers (n, dim); bits as 0 and 1."""
    if encoder.space.kind is Kind.BINARY:
        return np.unpackbits(codes, axis=1)[:, : encoder.space.dim].astype(np.float32)
    return np.asarray(codes, np.float32)


def embedding_specs(collection: Collection) -> list[str]:
    """Return the specs of the spaces that `embeddings` accepts: those of texts whose codes are not sparse."""
    if collection.items.modality is not Modality.TEXT:
        return []
    return [spec for spec, record in collection.spaces.items() if record.space["kind"] != Kind.SPARSE]


def embeddings(collection: Collection, body: EmbeddingsBody, spec: str) -> EmbeddingsReply:
    """Return embeddings of texts in one space as OpenAI's clients read them.

    `dimensions` keeps the first numbers of each code, normalised again in a cosine space, as for Matryoshka codes.
    """
    encoder = collection.space(spec).encoder
    if encoder.reads is not Modality.TEXT:
        raise Problem(422, f"the space '{encoder}' does not read texts: use POST /v1/collections/.../encode")
    if encoder.space.kind is Kind.SPARSE:
        raise Problem(
            422, f"the codes of '{encoder}' are sparse, embeddings are not: use POST /v1/collections/.../encode"
        )
    texts = [body.input] if isinstance(body.input, str) else body.input
    for position, text in enumerate(texts):
        if not text.strip():
            raise Problem(422, f"input {position} is empty: give some words")
    _require_bounded(encoder, len(texts))
    codes = _dense(encoder, encoder.encode_queries(texts))
    if encoder.space.metric is Metric.COSINE:
        for position, code in enumerate(codes):
            if not code.any():
                raise Problem(422, f"no word of input {position} is known to the space '{encoder}': try other words")
        codes = normalized(codes)
    if body.dimensions is not None:
        if body.dimensions > codes.shape[1]:
            raise Problem(422, f"dimensions is {body.dimensions:,}; the space '{encoder}' has {codes.shape[1]:,}")
        codes = codes[:, : body.dimensions]
        codes = normalized(codes) if encoder.space.metric is Metric.COSINE else codes
    words = sum(len(text.split()) for text in texts)
    return EmbeddingsReply(
        object="list",
        data=[
            Embedding(object="embedding", index=index, embedding=_written(code, body.encoding_format))
            for index, code in enumerate(codes)
        ],
        model=body.model,
        usage=Usage(prompt_tokens=words, total_tokens=words),
    )


def _written(code: NDArray[np.float32], encoding_format: str) -> Any:
    if encoding_format == "base64":
        return base64.b64encode(code.astype("<f4").tobytes()).decode("ascii")
    return code.astype(np.float64).tolist()


OPERATIONS = (
    Operation("encode", "POST", "/encode", "Encode queries in a space", encode, EncodeReply, body=EncodeBody),
)
