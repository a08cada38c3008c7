"""The bounds of what a client may ask of the service."""

from __future__ import annotations

#: Largest body of a request, in bytes.
MAX_BODY = 10 * 2**20
#: Most answers in one list, most hits of each space that are fused, most candidates of a shortlist.
MAX_K, MAX_DEPTH, MAX_CANDIDATES = 1_000, 10_000, 100_000
#: Most queries of one search, most inputs of one call of encode or embeddings, most items of one page.
MAX_QUERIES, MAX_INPUTS, MAX_PAGE = 100, 2_048, 1_000
#: Longest text of a query or input, in letters, and most numbers of a vector.
MAX_TEXT, MAX_NUMBERS = 1_000_000, 100_000
#: Seconds that a client has for the head of a request, for its body, and to read each part of the response.
HEAD_SECONDS, BODY_SECONDS, READ_SECONDS = 10.0, 30.0, 30.0
#: Seconds that a search may take, and long work such as a comparison.
SEARCH_SECONDS, LONG_SECONDS = 30.0, 3_600.0
#: Seconds after which long work sends its first progress, and between two of them.
PROGRESS_SECONDS = 1.0
#: Requests that wait for a thread; more are answered 503.
MAX_WAITING = 256
#: Open connections of one process.
MAX_CONNECTIONS = 1_024
#: Seconds that running requests have to end when the service stops.
STOP_SECONDS = 30.0
