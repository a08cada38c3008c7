"""The collections that the service answers from, each in its newest generation."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from encoders.errors import NearbyError, OptionError, ServerError
from retrieval.collection.base import Collection
from retrieval.collection.open import open_collection
from retrieval.service.operations import ResultCache
from retrieval.service.problem import Problem

#: An address of a server, up to the name of the index.
_HOST = re.compile(r"https?://[^/\s]+")
LOGGER = logging.getLogger("nearby.service")


def named_folders(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by the names that clients use: the last part of each path.

    Raises
    ------
    OptionError
        When two folders have one name.

    Examples
    --------
    >>> named_folders([Path("data/news")])
    {'news': PosixPath('data/news')}
    """
    named = {folder: folder.absolute().name or "collection" for folder in folders}
    for name, count in Counter(named.values()).items():
        if count > 1:
            raise OptionError(f"{count} folders have the name '{name}': serve folders whose names differ")
    return {name: folder for folder, name in named.items()}


class OpenCollections:
    """Collections that one thread has opened; each is opened again when its folder has a newer generation.

    Parameters
    ----------
    folders : mapping of str to Path
        The folders by the names that clients use.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._open: dict[str, Collection] = {}
        self.remembered = ResultCache()

    @property
    def names(self) -> tuple[str, ...]:
        """The names that clients use."""
        return tuple(self._folders)

    def require_all(self) -> None:
        """Open every collection, and refuse those that cannot be read; a server that is away may come back.

        Raises
        ------
        NearbyError
            When a folder holds no collection, or a damaged one.
        """
        for name in self._folders:
            with suppress(ServerError):
                self._open[name] = open_collection(self._folders[name])

    def without_places(self, sentence: str) -> str:
        """Return a sentence that names collections as clients do: not by their folders, nor by their servers.

        Examples
        --------
        >>> OpenCollections({"news": Path("/data/news")}).without_places("unknown space 'bm52' in /data/news")
        "unknown space 'bm52' in news"
        """
        for name, folder in self._folders.items():
            sentence = sentence.replace(str(folder), name)
        for collection in self._open.values():
            for host in _HOST.findall(collection.manifest.server):
                sentence = sentence.replace(host, "SERVER")
        return sentence

    def collection(self, name: str) -> Collection:
        """Return a collection as it is now.

        Raises
        ------
        Problem
            404 for a name that is not served, 502 or 500 when it cannot be opened; the log says why.
        """
        if name not in self._folders:
            known = ", ".join(sorted(self._folders))
            raise Problem(404, f"no collection '{name[:100]}' is served here: choose one of {known}")
        before = self._open.get(name)
        if before is not None and before.is_current():
            return before
        try:
            opened = open_collection(self._folders[name])
        except NearbyError as error:  # its text names the folder or the server, which is not for clients
            LOGGER.error("the collection '%s' cannot be opened: %s", name, error)
            status = Problem.of(error).status
            raise Problem(status if status >= 500 else 500, f"the collection '{name}' cannot be opened now") from None
        self._open[name] = opened
        if before is not None:
            opened.take_over(before)
        return opened

    def release_old(self) -> None:
        """Close collections that have a newer generation, so that their files can be removed."""
        for name, collection in list(self._open.items()):
            if not collection.is_current():
                with suppress(Problem):  # the next request says why
                    self.collection(name)

    def close(self) -> None:
        """Close every collection."""
        for collection in self._open.values():
            collection.close()
        self._open.clear()
