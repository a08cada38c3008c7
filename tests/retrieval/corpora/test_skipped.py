"""Files that are not read: counted by reason, in one sentence."""

from __future__ import annotations

from retrieval.corpora.skipped import SkippedFiles


def test_nothing_skipped_says_nothing() -> None:
    assert SkippedFiles().line() is None


def test_one_file() -> None:
    skipped = SkippedFiles()
    skipped.add("a checksum", "MD5SUMS")
    assert skipped.line() == "1 file is not read: 1 is a checksum (MD5SUMS)"


def test_most_frequent_reason_first_and_first_path_is_the_example() -> None:
    skipped = SkippedFiles()
    skipped.add("a checksum", "MD5SUMS")
    for number in range(1200):
        skipped.add("hidden", f".{number}")
    assert skipped.line() == "1,201 files are not read: 1,200 are hidden (e.g. .0), 1 is a checksum (MD5SUMS)"


def test_a_long_path_is_cut() -> None:
    skipped = SkippedFiles()
    skipped.add("hidden", "a" * 4000 + "/end.txt")
    line = skipped.line()
    assert line is not None
    assert len(line) < 160
    assert line.endswith("/end.txt)")
