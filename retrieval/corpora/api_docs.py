"""The documentation of the installed scientific packages and the standard library: no download.

Every public function or class is a document. Those whose authors wrote a "See Also" are the queries, and the
objects that they link to are the relevant answers: judgements by the people who know best. The links are
taken out of every document, so that none names its own answers there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from encoders.codes import Modality
from encoders.errors import CorpusError
from retrieval.corpora.base import Item, OnBad, Qrels, raise_bad
from retrieval.corpora.docstrings import split_see_also
from retrieval.corpora.public_api import DocumentedObject, public_objects
from retrieval.corpora.source import Source

_SHORTHANDS = {"np": "numpy", "sp": "scipy"}


class Collection(NamedTuple):
    """All documents, sorted by id, and the judgements between them."""

    items: tuple[Item, ...]
    qrels: Qrels


@dataclass(eq=False)
class ApiDocs(Source):
    """Documentation of the installed packages: one item for each public function or class.

    Id and title are its public name, the label is its package, the text is its name and docstring. The items that link
    to others under "See Also" are the queries, and the links are their judgements. Reading it imports the packages
    (some seconds), once in a process; the installed versions decide what it holds.
    """

    name: str = "api-docs"
    on_bad: OnBad = raise_bad

    modality = Modality.TEXT

    def items(self) -> Iterator[Item]:
        """Give the documents, from the beginning."""
        return iter(collection().items)

    def queries(self) -> Iterator[Item]:
        """Give the documents that link to others."""
        documentation = collection()
        return (item for item in documentation.items if item.id in documentation.qrels)

    def qrels(self) -> Qrels | None:
        """Return the links, graded 1."""
        return {query: dict(linked) for query, linked in collection().qrels.items()}

    @property
    def size(self) -> int | None:
        """Number of documents."""
        return len(collection().items)


@lru_cache(maxsize=1)
def collection() -> Collection:
    """Read the documentation of all installed packages (once in a process)."""
    objects = public_objects()
    if not objects:
        raise CorpusError("'api-docs' needs an installed package with documentation; none could be imported")
    resolve = Resolver(objects)
    items: list[Item] = []
    qrels: Qrels = {}
    for documented in objects:
        name = documented.name
        text, links = split_see_also(documented.docstring)
        items.append(Item(name, f"{name}\n{text}", name, documented.package))
        targets = {target for link in links if (target := resolve(link, documented)) is not None} - {name}
        if targets:
            qrels[name] = dict.fromkeys(sorted(targets), 1)
    return Collection(tuple(items), qrels)


class Resolver:
    """Finds the document that a link means, seen from the document with the link."""

    def __init__(self, objects: list[DocumentedObject]) -> None:
        self.ids = {name: documented.name for documented in objects for name in documented.names}
        self.endings: dict[tuple[str, str], set[str]] = {}
        for documented in objects:
            for name in documented.names:
                parts = name.split(".")
                for start in range(1, len(parts)):
                    ending = (documented.package, ".".join(parts[start:]))
                    self.endings.setdefault(ending, set()).add(documented.name)

    def __call__(self, link: str, seen_from: DocumentedObject) -> str | None:
        """Return the id meant by `link`: relative to an enclosing module, a full name, or a unique ending."""
        first, dot, rest = link.partition(".")
        link = f"{_SHORTHANDS.get(first, first)}{dot}{rest}"
        for scope in _scopes(seen_from):
            target = self.ids.get(f"{scope}.{link}")
            if target is not None:
                return target
        if link in self.ids:
            return self.ids[link]
        candidates = self.endings.get((seen_from.package, link), set())
        return next(iter(candidates)) if len(candidates) == 1 else None


def _scopes(documented: DocumentedObject) -> list[str]:
    """Return the modules that an object is public in, and those around them, innermost first."""
    scopes: dict[str, None] = {}
    for name in sorted(documented.names, key=lambda name: (name != documented.name, name)):
        module = name.rpartition(".")[0]
        while module:
            scopes[module] = None
            module = module.rpartition(".")[0]
    return sorted(scopes, key=lambda scope: -scope.count("."))
