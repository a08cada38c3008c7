"""Every error a user can meet: what was asked, what was found, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def one_line(error: object) -> str:
    r"""Return what another library says of a failure in one line, cut where it is long.

    Examples
    --------
    >>> one_line(ValueError("no thrift:\n  too deep\n"))
    'no thrift: too deep'
    """
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:299]}…"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant: the same but for case and hyphens, or for a letter or two.

    Examples
    --------
    >>> closest("TF-IDF", ["tfidf", "bow"]), closest("piksels", ["pixels", "pca"]), closest("xyz", ["pca"])
    ('tfidf', 'pixels', None)
    """
    by_letters = {"".join(filter(str.isalnum, one.lower())): one for one in sorted(known, reverse=True)}
    found = difflib.get_close_matches("".join(filter(str.isalnum, name.lower())), by_letters, n=1)
    return by_letters[found[0]] if found else None


class NearbyError(Exception):
    """Base of every error that nearby raises on purpose; the CLI prints it as one sentence and exits 2."""


class SpecError(NearbyError):
    """A spec such as ``tfidf+lsa:128`` does not parse; the message marks the place."""


class UnknownNameError(NearbyError):
    """A name that no registry knows.

    Examples
    --------
    >>> raise UnknownNameError("encoder", "piksels", ["pixels", "pca"])
    Traceback (most recent call last):
    encoders.errors.UnknownNameError: unknown encoder 'piksels'; did you mean 'pixels'?
    """

    def __init__(self, what: str, name: str, known: Iterable[str], meant: str | None = None) -> None:
        known = sorted(known)
        meant = meant or closest(name, known)
        hint = f"did you mean '{meant}'?" if meant else f"known: {', '.join(known)}"
        super().__init__(f"unknown {what} '{name}'; {hint}")


class OptionError(NearbyError):
    """An option that does not exist, or whose value is out of range."""


class NotFittedError(NearbyError, ValueError, AttributeError):
    """Codes were asked of an encoder that has not been fitted (also what scikit-learn's own error derives from)."""


class NotInvertibleError(NearbyError):
    """The encoder cannot turn codes back into items."""


class BadItemError(NearbyError):
    """An item that cannot be encoded: wrong type, NaN, unreadable."""


class DimensionError(NearbyError):
    """Codes or items of another width or shape than the encoder or index was made for."""


class UnsupportedSpaceError(NearbyError):
    """An index cannot honour this kind of code or metric; said before any work is done."""


class ArtifactError(NearbyError):
    """A saved folder is missing, corrupt, foreign, or of a newer format."""


class CorpusError(NearbyError):
    """A corpus is missing, empty, or has a broken entry; the message names file and line."""


class CollectionError(NearbyError):
    """A collection on disk cannot do what was asked."""


class QueryError(NearbyError):
    """A query that cannot be answered in this space."""


class TrainingError(NearbyError):
    """Training cannot go on; the last good state is kept."""


class DownloadError(NearbyError):
    """A data set or model is neither here nor reachable."""


class ServerError(NearbyError):
    """A search server is absent, speaks another language, refuses, or fails."""


class IndexGoneError(ServerError):
    """An index of a search server is not there, or not any more."""


class PartMissingError(ServerError):
    """A part of an index has no node that answers for it just now."""
