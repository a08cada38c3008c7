"""The files of a folder or archive that are not read, counted by reason."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Longest path of an example, so that the line fits a terminal.
_LONGEST_PATH = 80


@dataclass
class SkippedFiles:
    """How many files are not read, by reason, with one example of each.

    A reason completes "2 are ..." and "1 is ...": "not a picture", "a checksum", "larger than 256 MiB".

    Examples
    --------
    >>> skipped = SkippedFiles()
    >>> skipped.line() is None
    True
    >>> for path in ("a/README.pdf", "b.pdf"):
    ...     skipped.add("not a text", path)
    >>> skipped.add("a checksum", "MD5SUMS")
    >>> skipped.line()
    '3 files are not read: 2 are not a text (e.g. a/README.pdf), 1 is a checksum (MD5SUMS)'
    """

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, path: str) -> None:
        """Count one file; the first path of a reason is its example."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.examples.setdefault(reason, path)

    def line(self) -> str | None:
        """Return one sentence, the most frequent reason first; None if every file was read."""
        total = sum(self.counts.values())
        if not total:
            return None
        ordered = sorted(self.counts, key=lambda reason: -self.counts[reason])
        parts = ", ".join(self._part(reason) for reason in ordered)
        return f"{total:,} {'file is' if total == 1 else 'files are'} not read: {parts}"

    def _part(self, reason: str) -> str:
        count, path = self.counts[reason], self.examples[reason]
        shown = path if len(path) <= _LONGEST_PATH else f"...{path[-_LONGEST_PATH:]}"
        return f"1 is {reason} ({shown})" if count == 1 else f"{count:,} are {reason} (e.g. {shown})"
