"""An example for every operation of the API: the path below the service, and the body."""

from __future__ import annotations

import json
from typing import Any

_NEWS = "/v1/collections/news"
#: Operation -> path and body.
EXAMPLES: dict[str, tuple[str, Any]] = {
    "collections": ("/v1/collections", None),
    "embeddings": ("/v1/embeddings", {"model": "news/tfidf+lsa:128", "input": ["interest rates"]}),
    "models": ("/v1/models", None),
    "health": ("/health", None),
    "metrics": ("/metrics", None),
    "search": (f"{_NEWS}/search", {"query": {"text": "interest rates"}, "spaces": ["bm25"], "k": 3}),
    "explain": (f"{_NEWS}/explain", {"query": {"text": "interest rates"}, "id": "42"}),
    "neighbours": (f"{_NEWS}/neighbours?id=42&k=3", None),
    "collection": (_NEWS, None),
    "items": (f"{_NEWS}/items?offset=0&limit=20", None),
    "item": (f"{_NEWS}/items/42", None),
    "media": ("/v1/collections/digits/media/7", None),
    "encode": (f"{_NEWS}/encode", {"space": "bm25", "queries": [{"text": "interest rates"}]}),
    "map": (f"{_NEWS}/map?space=tfidf%2Blsa:128", None),
    "compare": (f"{_NEWS}/compare", {"spaces": ["bm25", "tfidf+lsa:128"]}),
    "compareExplorer": (f"{_NEWS}/compare/explorer", {"spaces": ["bm25", "tfidf+lsa:128"]}),
    "perQuery": (f"{_NEWS}/compare/queries?measure=nDCG@10", None),
    "spaceHealth": (f"{_NEWS}/health?space=bm25", None),
    "components": (f"{_NEWS}/components?space=tfidf%2Blsa:128&limit=10", None),
    "reconstruct": (f"{_NEWS}/reconstruct", {"space": "tfidf+lsa:128", "id": "42"}),
    "interpolate": (f"{_NEWS}/interpolate", {"space": "tfidf+lsa:128", "start": "42", "end": "43", "steps": 5}),
    "training": (f"{_NEWS}/training?space=tfidf%2Blsa:128", None),
}


def curl(name: str) -> str:
    """Return the example of an operation as a command.

    Examples
    --------
    >>> curl("health")
    'curl http://127.0.0.1:8765/health'
    """
    path, body = EXAMPLES.get(name, ("/", None))
    quoted = f"'http://127.0.0.1:8765{path}'" if "?" in path else f"http://127.0.0.1:8765{path}"
    if body is None:
        return f"curl {quoted}"
    return f"curl {quoted} -H 'Content-Type: application/json' \\\n    -d '{json.dumps(body)}'"
