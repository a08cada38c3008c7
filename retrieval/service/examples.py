"""An example for every operation of the API: the path below the service, and the body.

They are written for the collections `news` and `digits`; `curl` names those that a service has instead.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

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
    "perQuery": (f"{_NEWS}/compare/queries?limit=20", None),
    "spaceHealth": (f"{_NEWS}/health?space=bm25", None),
    "components": (f"{_NEWS}/components?space=tfidf%2Blsa:128&limit=10", None),
    "reconstruct": (f"{_NEWS}/reconstruct", {"space": "tfidf+lsa:128", "id": "42"}),
    "interpolate": (f"{_NEWS}/interpolate", {"space": "tfidf+lsa:128", "start": "42", "end": "43", "steps": 5}),
    "training": (f"{_NEWS}/training?space=tfidf%2Blsa:128", None),
}


#: What the examples above name.
_NEWS_NAME, _DIGITS_NAME, _DENSE, _WORDS, _ITEMS, _PICTURE = (
    "news",
    "digits",
    "tfidf+lsa:128",
    "bm25",
    ("42", "43"),
    "7",
)
_QUERY = {"text": "interest rates"}


@dataclass(frozen=True)
class ServedNames:
    """What the examples name: the address of a service, its collections, and their spaces and items.

    Attributes
    ----------
    address : str
        Scheme, host and port.
    collection, space, dense, items
        A collection, a space of it, one whose codes are not sparse, and the ids of two items.
    words : str or None
        Some words to search for; None if the items are no texts.
    pictures, picture : str
        A collection of pictures or sounds, and the id of an item.
    secret : bool
        Whether clients send a token.
    """

    address: str = "http://127.0.0.1:8765"
    collection: str = _NEWS_NAME
    space: str = _WORDS
    dense: str = _DENSE
    items: tuple[str, str] = _ITEMS
    words: str | None = _QUERY["text"]
    pictures: str = _DIGITS_NAME
    picture: str = _PICTURE
    secret: bool = False

    def path(self, written: str) -> str:
        """Return the path of an example with these names."""
        collection, picture = quote(self.collection, safe=""), quote(self.picture, safe="")
        names = {
            f"/{_NEWS_NAME}": f"/{collection}",
            f"/{_DIGITS_NAME}/media/{_PICTURE}": f"/{quote(self.pictures, safe='')}/media/{picture}",
            f"={quote(_DENSE, safe=':')}": f"={quote(self.dense, safe=':')}",
            f"={_WORDS}": f"={quote(self.space, safe=':')}",
            **{
                f"{sign}{old}": f"{sign}{quote(new, safe='')}"
                for sign in "=/"
                for old, new in zip(_ITEMS, self.items, strict=True)
            },
        }
        return re.sub("|".join(rf"{re.escape(old)}(?![\w.])" for old in names), lambda match: names[match[0]], written)

    def body(self, written: Any) -> Any:
        """Return the body of an example with these names."""
        if written == _QUERY:
            return {"text": self.words} if self.words is not None else {"id": self.items[0]}
        if isinstance(written, dict):
            return {name: self.body(value) for name, value in written.items()}
        if isinstance(written, list):
            return (
                list(dict.fromkeys(map(self.body, written)))
                if all(isinstance(one, str) for one in written)
                else [self.body(one) for one in written]
            )
        names = {
            f"{_NEWS_NAME}/{_DENSE}": f"{self.collection}/{self.dense}", _DENSE: self.dense, _WORDS: self.space,
            _QUERY["text"]: self.words or "", **dict(zip(_ITEMS, self.items, strict=True)),
        }  # fmt: skip
        return names.get(written, written) if isinstance(written, str) else written


def curl(name: str, served: ServedNames) -> str:
    """Return the example of an operation as a command.

    Examples
    --------
    >>> curl("health", ServedNames())
    'curl http://127.0.0.1:8765/health'
    >>> curl("item", ServedNames("http://search.example", collection="texts", items=("a b", "c")))
    'curl http://search.example/v1/collections/texts/items/a%20b'
    """
    path, body = EXAMPLES.get(name, ("/", None))
    parts = ["curl", shlex.quote(served.address + served.path(path))]
    if served.secret:
        parts += ["-H", "'Authorization: Bearer TOKEN'"]
    if body is not None:
        data = json.dumps(served.body(body), ensure_ascii=False)
        parts += ["-H", "'Content-Type: application/json'", "\\\n    -d", shlex.quote(data)]
    return " ".join(parts)
