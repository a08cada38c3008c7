"""Problem documents (RFC 9457): what a client gets instead of an answer."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from encoders.errors import (
    ArtifactError,
    CollectionError,
    CorpusError,
    MissingLibraryError,
    NearbyError,
    ServerError,
    UnknownNameError,
)
from retrieval.search.option_names import FIELDS, NamedOptionError
from retrieval.service import limits

#: Media type of a problem document.
MEDIA_TYPE = "application/problem+json"
#: Paths that OpenAI's clients ask.
OPENAI_PATHS = ("/v1/embeddings", "/v1/models")


class OpenAIError(msgspec.Struct, rename={"kind": "type"}):
    """A problem as OpenAI's clients read it."""

    message: str
    kind: str
    code: int


class ProblemDocument(msgspec.Struct, rename={"kind": "type"}, omit_defaults=True):
    """RFC 9457, section 3: the kind of problem, its title, the status, and what is wrong with this request."""

    kind: str
    title: str
    status: int
    detail: str
    error: OpenAIError | None = None


class Problem(Exception):  # the word of RFC 9457
    """A request that gets a problem document instead of an answer.

    Parameters
    ----------
    status : int
        The status code.
    detail : str
        One sentence: what was asked, what was found, what to do.
    retry_after : int, optional
        Seconds after which the request may be sent again.
    close : bool
        Whether the connection ends, because the beginning of the next request is not known.
    allow : str
        Methods that are allowed, of status 405.
    """

    def __init__(
        self, status: int, detail: str, retry_after: int | None = None, close: bool = False, allow: str = ""
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self._headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if close:
            self._headers["Connection"] = "close"
        if allow:
            self._headers["Allow"] = allow

    @classmethod
    def of(cls, error: NearbyError) -> Problem:
        """Return the problem that an error of nearby is for a client.

        404 for what is absent, 502 for a server behind the collection that fails, 500 for what the operator must mend,
        422 for all else.
        """
        if isinstance(error, ServerError):
            return cls(502, str(error))
        if isinstance(error, ArtifactError | MissingLibraryError):
            return cls(500, str(error))
        if isinstance(error, CollectionError) or (isinstance(error, UnknownNameError) and error.what == "space"):
            return cls(404, str(error))
        if isinstance(error, NamedOptionError):
            return cls(422, error.written(FIELDS))
        if isinstance(error, CorpusError):
            return cls(422, f"the query {error}")
        return cls(422, str(error))

    def document(self, path: str = "") -> ProblemDocument:
        """Return the document of this problem; below the paths of OpenAI's clients it has what they read."""
        title = HTTPStatus(self.status).phrase
        detail = self.detail if len(self.detail) <= limits.MAX_DETAIL else f"{self.detail[: limits.MAX_DETAIL - 1]}…"
        error = OpenAIError(detail, title, self.status) if path.startswith(OPENAI_PATHS) else None
        return ProblemDocument("about:blank", title, self.status, detail, error)

    def response(self, path: str = "") -> Response:
        """Return the response that says it to a request of a path."""
        headers = dict(self._headers)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(msgspec.json.encode(self.document(path)), self.status, headers, media_type=MEDIA_TYPE)
