"""Symbolic links: the files of a folder with links followed, and the targets of links inside an archive."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path

from retrieval.corpora.skipped import SkippedFiles

BROKEN, NO_FILE, CYCLE = "behind a broken link", "not a regular file", "behind a link that leads back"
#: The identity of a folder, independent of its name: device and inode.
_Identity = tuple[int, int]


def hidden(name: str) -> bool:
    """Return whether a file is hidden: ``.git/config``, ``__MACOSX/...``."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def walk(folder: Path, skipped: SkippedFiles) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder, sorted, with their names relative to it; links are followed.

    A link to a folder that contains the link would never end, so it is counted in `skipped`. Each link is followed
    once, so that links to each other's folders end too. Hidden files and folders are counted and not entered.
    """
    root = os.path.realpath(folder)
    followed: set[_Identity] = set()
    above = {_identity(os.stat(root))}
    stack = [(_entries(folder), "", _identity(os.stat(root)))]
    while stack:
        entries, prefix, folder_identity = stack[-1]
        entry = next(entries, None)
        if entry is None:
            above.discard(folder_identity)
            stack.pop()
            continue
        name = prefix + entry.name
        if hidden(entry.name):
            skipped.add("hidden", name)
        elif _is_folder(entry):
            reason, identity = _why_not_entered(entry, root, above, followed)
            try:
                inside = _entries(Path(entry.path)) if reason is None else None
            except OSError as error:
                reason = f"in a folder that cannot be opened ({(error.strerror or str(error)).lower()})"
            if reason is not None or inside is None:
                skipped.add(reason or BROKEN, name)
                continue
            above.add(identity)
            stack.append((inside, f"{name}/", identity))
        elif _is_file(entry):
            yield name, Path(entry.path)
        else:
            skipped.add(BROKEN if entry.is_symlink() and not os.path.exists(entry.path) else NO_FILE, name)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return iter(sorted(entries, key=lambda entry: entry.name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _why_not_entered(
    entry: os.DirEntry[str], root: str, above: set[_Identity], followed: set[_Identity]
) -> tuple[str | None, _Identity]:
    """Return the reason why a folder is not entered (None if it is entered), and its identity."""
    identity = _identity(entry.stat())
    if not entry.is_symlink():
        return None, identity
    target = os.path.realpath(entry.path)
    link = _identity(entry.stat(follow_symlinks=False))
    if identity in above or os.path.commonpath([target, root]) == target or link in followed:
        return CYCLE, identity
    followed.add(link)
    return None, identity


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


class Links:
    """The links inside an archive: name -> target, both relative to the archive.

    Examples
    --------
    >>> links = Links()
    >>> links.add("cats", "pool/felines")
    >>> links.add("dogs/1.png", "../pool/1.png")
    >>> links.add("passwords", "/etc/passwd")
    >>> skipped = SkippedFiles()
    >>> list(links.resolved(["pool/1.png", "pool/felines/2.png"], skipped))
    [('dogs/1.png', 'pool/1.png'), ('cats/2.png', 'pool/felines/2.png')]
    >>> skipped.line()
    '1 file is not read: 1 is behind a broken link (passwords)'
    """

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._targets)

    def add(self, name: str, target: str, joined: bool = False) -> None:
        """Add a link; its target is relative to the folder of the link, or (`joined`) to the archive."""
        whole = target if joined else posixpath.join(posixpath.dirname(name), target)
        self._targets[name] = posixpath.normpath(whole)

    def resolved(self, present: Iterable[str], skipped: SkippedFiles) -> Iterator[tuple[str, str]]:
        """Yield each additional name of a file in the archive, and its real name.

        Links to files outside the archive are counted in `skipped`.
        """
        by_target: dict[str, list[str]] = {}
        back: set[str] = set()
        for link, target in self._targets.items():
            if target in (".", link) or link.startswith(f"{target}/"):
                back.add(link)
            else:
                by_target.setdefault(target, []).append(link)
        reached: set[str] = set()
        for name in present if by_target else ():
            for alias, link in _aliases(name, by_target):
                reached.add(link)
                yield alias, name
        for link in self._targets:
            if link not in reached:
                skipped.add(CYCLE if link in back else BROKEN, link)


def _aliases(name: str, by_target: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield the names that links give to a file, each with its link; each link is followed once."""
    followed: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        parts = current.split("/")
        for length in range(len(parts), 0, -1):
            for link in by_target.get("/".join(parts[:length]), ()):
                if link not in followed:
                    followed.add(link)
                    alias = "/".join([link, *parts[length:]])
                    waiting.append(alias)
                    yield alias, link
