"""The bounds of what a client may ask of the service."""

from __future__ import annotations

#: Largest body of a request, in bytes, and all that one process holds of bodies; those below `SMALL_BODY` always fit.
MAX_BODY, MAX_BODIES, SMALL_BODY = 10 * 2**20, 40 * 2**20, 2**16
#: Longest path and query string of a request, in bytes.
MAX_TARGET = 2**14
#: Most answers in one list, most hits of each space that are fused, most candidates of a shortlist.
MAX_K, MAX_DEPTH, MAX_CANDIDATES = 1_000, 10_000, 100_000
#: Most queries of one search, most inputs of one call of encode or embeddings, most items of one page.
MAX_QUERIES, MAX_INPUTS, MAX_PAGE = 100, 2_048, 1_000
#: Most answers of one search: queries by spaces by k or depth, and candidates of each query.
MAX_ANSWERS = 200_000
#: Most numbers in one answer of encode or embeddings.
MAX_ANSWERED_NUMBERS = 4_000_000
#: Longest detail of a problem, in letters; names that a client sent are part of it.
MAX_DETAIL = 1_000
#: Longest text of a query or input, in letters, and most numbers of a vector.
MAX_TEXT, MAX_NUMBERS = 1_000_000, 100_000
#: Seconds that a client has for the head of a request, for its body, and to read `READ_BYTES` of the response.
HEAD_SECONDS, BODY_SECONDS, READ_SECONDS = 10.0, 30.0, 30.0
READ_BYTES = 2**16
#: Seconds that a search may take, and long work such as a comparison.
SEARCH_SECONDS, LONG_SECONDS = 30.0, 3_600.0
#: Seconds after which long work sends its first progress, and between two of them.
PROGRESS_SECONDS = 1.0
#: Requests that wait for a thread; more are answered 503.
MAX_WAITING = 256
#: Open connections of one process; further connections that get 503; any more are closed at once.
MAX_CONNECTIONS, MAX_REFUSED = 512, 64
#: Seconds that a refused connection has to read why.
REFUSED_SECONDS = 1.0
#: Seconds that running requests have to end when the service stops.
STOP_SECONDS = 30.0
