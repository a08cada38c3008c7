"""Codes of queries, and embeddings and models as OpenAI's clients read them."""

from __future__ import annotations

from msgspec import field

from retrieval.service.replies.base import Notes, Reply


class EncodeReply(Reply):
    """The code of every query: a list of numbers, or of a sparse space the weight of every word."""

    space: str
    dim: int
    kind: str
    metric: str
    codes: list[list[float] | dict[str, float]]
    notes: Notes = field(default_factory=list)


class Embedding(Reply):
    """One embedding as OpenAI's clients read it."""

    object: str
    index: int
    embedding: list[float] | str


class Usage(Reply):
    """OpenAI counts tokens; we count words."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(Reply):
    """A reply as OpenAI's clients read it."""

    object: str
    data: list[Embedding]
    model: str
    usage: Usage


class Model(Reply):
    """A model as OpenAI's clients list it: one space of one collection."""

    id: str
    object: str
    created: int
    owned_by: str


class Models(Reply):
    """All models."""

    object: str
    data: list[Model]
