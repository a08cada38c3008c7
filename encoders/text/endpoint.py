"""Embeddings of texts by an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Modality, Space, n_rows
from encoders.endpoint.address import checked_url
from encoders.endpoint.answer import Embedded
from encoders.endpoint.cache import EmbeddingCache, digest_of
from encoders.endpoint.client import Client, requests_words
from encoders.errors import ArtifactError, BadItemError, OptionError
from encoders.options import option
from encoders.progress import say

#: Embedded at the fit, and again by a loaded encoder before its first text: another model gives it another code.
_PROBE = "Which representation puts similar things near each other?"
#: Cosine of the two codes of the probe by one model, whatever hardware and batch it computes in.
_SAME = 0.99
#: Seconds for which a request is retried: while a corpus is encoded, and while a user waits for the answer to a query.
_PATIENT, _QUICK = 180.0, 10.0
#: Characters of one request; endpoints limit the tokens.
_CHARACTERS = 400_000


@dataclass
class Endpoint(Encoder):
    """Embeddings of texts by an OpenAI-compatible HTTP endpoint.

    Use it when a model runs elsewhere: a paid service, or a server such as vLLM, Ollama or text-embeddings-inference.

    ``endpoint:https://HOST/v1/embeddings?model=NAME`` sends every text to that host, and every query. Its key comes
    from the environment variable NEARBY_KEY_HOST (dots of the host's name are ``_``, hyphens ``__``; OPENAI_API_KEY
    for api.openai.com), so that no key is written down or reaches another host. Failures that pass are retried,
    redirects are not followed. Embeddings are cached on disk by the digest of the text: nothing is paid twice, and a
    killed command continues. Tokens are counted and said. Texts without a word have a code of zeros.

    References
    ----------
    OpenAI, API reference: create embeddings, 2022.
    """

    name: ClassVar[str] = "endpoint"
    reads: ClassVar[Modality] = Modality.TEXT
    answers_alone: ClassVar[bool] = False
    url: str = option("http://localhost:8000/v1/embeddings", "Address of the endpoint.")
    model: str | None = option(None, "Name of the model, as the endpoint knows it.")
    dimensions: int | None = option(None, "Width asked of a model that can shorten its embeddings.", ge=1)
    prompt: str = option("", "Text before every document.")
    query_prompt: str | None = option(None, "Text before every query; none: as before documents.")
    batch_size: int = option(64, "Texts per request.", ge=1, le=2048)
    parallel: int = option(4, "Number of requests at a time.", ge=1, le=64)
    timeout: float = option(60.0, "Seconds for one request.", gt=0, le=3600)
    cache: bool = option(True, "Keep embeddings on disk, in NEARBY_CACHE or the user's cache folder.")
    plain_http: bool = option(False, "Allow http:// to another machine, which sends texts and key unencrypted.")

    def __post_init__(self) -> None:
        super().__post_init__()
        url = checked_url(self.url, self.plain_http)
        self.url = self.url if url == self.url else url  # scikit-learn's clone asks for the same object
        self._probe: NDArray[np.float32] | None = None
        self._is_checked = False
        self._tokens = self._requests = self._paid = self._cached = 0
        self._cache = EmbeddingCache([self.url, str(self.model), str(self.dimensions)])

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        if not any(n_rows(batch.items) for batch in batches):
            raise BadItemError("there is nothing to fit on: the corpus holds no items")
        if self.model is None:
            raise OptionError(f"endpoint: {self.url} needs the name of its model: add model=NAME")
        embedded = self._client().embed([_PROBE], _QUICK)
        self._count(embedded, 1)
        self._probe, self._is_checked = embedded.codes[0], True
        if self.cache:
            self._require_cache_of_model(self._probe)
        return Space(embedded.codes.shape[1], Kind.DENSE, Metric.COSINE)

    def _encode(self, items: Any) -> Codes:
        return self._embedded([self.prompt + text for text in items], [not text.strip() for text in items], _PATIENT)

    def _encode_queries(self, items: Any) -> Codes:
        prompt = self.prompt if self.query_prompt is None else self.query_prompt
        return self._embedded([prompt + text for text in items], [not text.strip() for text in items], _QUICK)

    def _embedded(self, texts: list[str], empty: list[bool], retry_seconds: float) -> Codes:
        """Return a code for each text; equal texts are embedded once, cached ones not at all."""
        digests = [b"" if is_empty else digest_of(text) for text, is_empty in zip(texts, empty, strict=True)]
        wanted = {digest: text for digest, text in zip(digests, texts, strict=True) if digest}
        known = self._cache.get(list(wanted), self.space.dim) if self.cache and wanted else {}
        self._cached += len(known)
        missing = {digest: text for digest, text in wanted.items() if digest not in known}
        if missing:
            self._require_same_model()
            known |= self._requested(missing, retry_seconds)
        codes = np.zeros((len(texts), self.space.dim), np.float32)
        for row, digest in enumerate(digests):
            if digest:
                codes[row] = known[digest]
        return codes

    def _requested(self, texts: dict[bytes, str], retry_seconds: float) -> dict[bytes, NDArray[np.float32]]:
        """Return the embeddings of texts, some requests at a time; each answer is cached, also after a failure."""
        client, known = self._client(), dict[bytes, NDArray[np.float32]]()
        with ThreadPoolExecutor(self.parallel) as threads:
            requests: dict[Future[Embedded], list[bytes]] = {
                threads.submit(client.embed, [texts[digest] for digest in digests], retry_seconds): digests
                for digests in self._requests_of(texts)
            }
            try:
                for future in as_completed(requests):
                    known |= self._received(requests[future], future.result())
            except BaseException:
                for future in requests:
                    future.cancel()
                for future, digests in requests.items():  # what was paid is kept
                    if not future.cancelled() and future.exception() is None and digests[0] not in known:
                        self._received(digests, future.result())
                raise
        return known

    def _received(self, digests: list[bytes], embedded: Embedded) -> dict[bytes, NDArray[np.float32]]:
        if embedded.codes.shape[1] != self.space.dim:
            raise ArtifactError(
                f"{self.url} gives embeddings of {embedded.codes.shape[1]:,} numbers, this space has "
                f"{self.space.dim:,}: the model '{self.model}' has changed; index again"
            )
        self._count(embedded, len(digests))
        codes = dict(zip(digests, embedded.codes, strict=True))
        if self.cache:
            self._cache.put(codes)
        return codes

    def _requests_of(self, texts: dict[bytes, str]) -> Iterator[list[bytes]]:
        """Cut texts into requests, long ones into smaller requests."""
        chunk: list[bytes] = []
        characters = 0
        for digest, text in texts.items():
            if chunk and (len(chunk) == self.batch_size or characters + len(text) > _CHARACTERS):
                yield chunk
                chunk, characters = [], 0
            chunk.append(digest)
            characters += len(text)
        if chunk:
            yield chunk

    def _require_cache_of_model(self, probe: NDArray[np.float32]) -> None:
        """Empty the cache if another model of this name filled it."""
        cache, digest = self._cache, digest_of(_PROBE)
        known = cache.get([digest], None).get(digest)
        if known is not None and (known.shape != probe.shape or _cosine(known, probe) < _SAME):
            say(f"endpoint: the model '{self.model}' at {self.url} has changed, so its cached embeddings are dropped")
            cache.clear()
        cache.put({digest: probe})

    def _require_same_model(self) -> None:
        """Embed the probe again, once, in an encoder that was loaded: the model behind a name may change."""
        if self._is_checked or self._probe is None:
            return
        embedded = self._client().embed([_PROBE], _QUICK)
        if embedded.codes.shape[1] != self.space.dim or _cosine(embedded.codes[0], self._probe) < _SAME:
            raise ArtifactError(
                f"endpoint: the model '{self.model}' at {self.url} is not the one that this space was made with, so "
                "that codes cannot be compared: bring the old model back, or index again"
            )
        self._count(embedded, 1)
        self._is_checked = True

    def remarks(self) -> list[str]:
        """Return the requests, texts and tokens since the last call."""
        counts = self._requests, self._tokens, self._paid, self._cached
        self._tokens = self._requests = self._paid = self._cached = 0
        return [f"{self.name}: {requests_words(*counts)}"] if counts[0] or counts[3] else []

    def state(self) -> State:
        """Return the code of a fixed text."""
        assert self._probe is not None, "fit or restore sets it"  # noqa: S101
        return {"probe": self._probe}

    def restore(self, state: State) -> None:
        """Restore what `state` returned; no server is asked."""
        if state["probe"].shape != (self.space.dim,):
            raise ValueError(f"a probe of shape {state['probe'].shape}")
        self._probe, self._is_checked = np.asarray(state["probe"], np.float32), False

    def _client(self) -> Client:
        return Client(self.url, str(self.model), self.dimensions, self.timeout)

    def _count(self, embedded: Embedded, texts: int) -> None:
        self._requests += 1
        self._tokens += embedded.tokens
        self._paid += texts


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(first @ second) / max(float(np.linalg.norm(first)) * float(np.linalg.norm(second)), 1e-12)
