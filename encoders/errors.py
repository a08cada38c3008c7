"""All errors of nearby. A message says what was expected, what was found, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def one_line(error: object) -> str:
    r"""Return the message of another library's error in one line of at most 300 characters.

    Examples
    --------
    >>> one_line(ValueError("no thrift:\n  too deep\n"))
    'no thrift: too deep'
    """
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:299]}…"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that differs by case, hyphens or a letter or two only; None if there is none.

    Examples
    --------
    >>> closest("TF-IDF", ["tfidf", "bow"]), closest("piksels", ["pixels", "pca"]), closest("xyz", ["pca"])
    ('tfidf', 'pixels', None)
    """
    by_letters = {"".join(filter(str.isalnum, other.lower())): other for other in sorted(known, reverse=True)}
    matches = difflib.get_close_matches("".join(filter(str.isalnum, name.lower())), by_letters, n=1)
    return by_letters[matches[0]] if matches else None


class NearbyError(Exception):
    """Base of every error that nearby raises on purpose; the CLI prints it as one sentence and exits 2."""


class SpecError(NearbyError):
    """A spec such as ``tfidf+lsa:128`` cannot be parsed; the message marks the position."""


class UnknownNameError(NearbyError):
    """A name that is not in the registry.

    Attributes
    ----------
    what : str
        What has such names, such as "encoder".
    where : str
        Where the name was looked for, such as "in the table"; empty for a registry.

    Examples
    --------
    >>> raise UnknownNameError("encoder", "piksels", ["pixels", "pca"])
    Traceback (most recent call last):
    encoders.errors.UnknownNameError: unknown encoder 'piksels'; did you mean 'pixels'?
    >>> str(UnknownNameError("space", "vae", ["bm25", "tfidf"], where="in news"))
    "unknown space 'vae' in news; known: bm25, tfidf"
    """

    def __init__(
        self, what: str, name: str, known: Iterable[str], suggestion: str | None = None, where: str = ""
    ) -> None:
        self.what = what
        known = sorted(known)
        suggestion = suggestion or closest(name, known)
        hint = f"did you mean '{suggestion}'?" if suggestion else f"known: {', '.join(known)}"
        place = f" {where}" if where else ""
        super().__init__(f"unknown {what} '{name}'{place}; {hint}")


class OptionError(NearbyError):
    """An option that does not exist, or whose value is out of range."""


class NotFittedError(NearbyError, ValueError, AttributeError):
    """An encoder is used before it is fitted (the base classes are those of scikit-learn's NotFittedError)."""


class NotInvertibleError(NearbyError):
    """The encoder cannot turn codes back into items."""


class BadItemError(NearbyError):
    """An item that cannot be encoded: wrong type, NaN, unreadable."""


class DimensionError(NearbyError):
    """Codes or items have another width or shape than the encoder or index expects."""


class UnsupportedSpaceError(NearbyError):
    """An index does not support this kind of code or metric; raised before any work is done."""


class ArtifactError(NearbyError):
    """A saved folder is missing, corrupt, foreign, or of a newer format."""


class CorpusError(NearbyError):
    """A corpus is missing, empty, or has a broken entry; the message names file and line."""


class CollectionError(NearbyError):
    """A collection cannot do an operation."""


class QueryError(NearbyError):
    """A query that cannot be answered in this space."""


class TrainingError(NearbyError):
    """Training cannot go on; the last good state is kept."""


class MissingLibraryError(NearbyError):
    """A library is not installed that only some data need; the message says how to install it."""


class DownloadError(NearbyError):
    """A data set or model is not on this machine and cannot be downloaded."""


class EndpointError(NearbyError):
    """An embeddings endpoint cannot be reached, refuses a request, or gives no embeddings."""


class ServerError(NearbyError):
    """A search server cannot be reached, is not Elasticsearch, refuses a request, or fails."""


class IndexGoneError(ServerError):
    """An index does not exist on the search server."""


class PartMissingError(ServerError):
    """A part of an index has no node that answers for it just now."""
