r"""What ends a line (``\n``, ``\r\n``, ``\r``, nothing else) and the byte-order mark, in every reader of lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.errors import CorpusError, OptionError
from retrieval.corpora import lines
from retrieval.corpora.lines import checked_encoding, read_lines
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.trec import read_qrels, read_run

#: What `str.splitlines` parts a text at, beyond what ends a line.
NO_ENDS = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"]
MARK = "\ufeff"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", MARK])
def test_ids_and_labels(tmp_path: Path, end: str, mark: str) -> None:
    np.save(tmp_path / "v.npy", np.eye(len(NO_ENDS)))
    names = [f"a{letter}b{place}" for place, letter in enumerate(NO_ENDS)]
    (tmp_path / "names.txt").write_bytes((mark + end.join(names) + end).encode())
    items = list(open_corpus(f"{tmp_path / 'v.npy'}?ids=names.txt&labels=names.txt"))
    assert [item.id for item in items] == [item.label for item in items] == names


def test_an_empty_line_is_no_id_and_no_label(tmp_path: Path, left_out: list) -> None:
    np.save(tmp_path / "v.npy", np.eye(3))
    (tmp_path / "names.txt").write_text("a\n\nc\n")
    assert [item.label for item in open_corpus(f"{tmp_path / 'v.npy'}?labels=names.txt")] == ["a", None, "c"]
    with pytest.raises(CorpusError, match=r"row 1 has no id: 'names\.txt' is empty in that row"):
        list(open_corpus(f"{tmp_path / 'v.npy'}?ids=names.txt"))


@pytest.mark.parametrize("letter", NO_ENDS)
def test_documents(tmp_path: Path, letter: str) -> None:
    (tmp_path / "t.jsonl").write_bytes(f'{{"text": "a{letter}b"}}\n'.encode() if letter >= "\x80" else b'{"text": "x"}')
    (tmp_path / "t.csv").write_bytes(f"text\na{letter}b\n".encode())
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "1.txt").write_bytes(f"a{letter}b".encode())
    for name in ("t.jsonl", "t.csv", "texts"):
        assert len(list(open_corpus(str(tmp_path / name)))) == 1
    assert next(iter(open_corpus(str(tmp_path / "t.csv")))).content == f"a{letter}b"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", MARK])
def test_every_file_of_lines(tmp_path: Path, end: str, mark: str) -> None:
    def written(name: str, *rows: str) -> Path:
        (tmp_path / name).write_bytes((mark + end.join(rows) + end).encode())
        return tmp_path / name

    assert read_qrels(written("three", "q1\ta\t1", "q1\tb\t0")) == {"q1": {"a": 1, "b": 0}}
    assert read_qrels(written("head", "query-id\tcorpus-id\tscore", "q1\ta\t1")) == {"q1": {"a": 1}}
    assert read_qrels(written("four", "q1 0 a 1", "q1 0 b 0")) == {"q1": {"a": 1, "b": 0}}
    assert read_run(written("run", "q1 Q0 a 1 2.5 t", "q1 Q0 b 2 1.5 t")) == {"q1": {"a": 2.5, "b": 1.5}}
    for name, rows in (
        ("t.jsonl", ('{"text": "one"}', '{"text": "two"}')),
        ("t.csv", ("text", "one", "two")),
        ("quoted.csv", ('"text"', '"one"', '"two"')),
    ):
        assert [item.content for item in open_corpus(str(written(name, *rows)))] == ["one", "two"]
    (user,) = open_corpus(f"{written('r.csv', 'user,item,rating', 'u,i,5')}?by=user")
    assert user.id == "u"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_mark_is_dropped_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    raw = f"{MARK}text,n\none,1\n".encode(encoding.removesuffix("-sig"))
    (tmp_path / "t.csv").write_bytes(raw)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "1.txt").write_bytes(raw)
    assert next(iter(open_corpus(f"{tmp_path / 't.csv'}?encoding={encoding}"))).content == "one"
    assert next(iter(open_corpus(f"{tmp_path / 'texts'}?encoding={encoding}"))).content == "text,n\none,1\n"


@pytest.mark.parametrize("name", ["t.jsonl", "run", "qrels", "names.txt"])
def test_utf16_without_an_option_for_it_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes("a b c d e f\n".encode("utf-16"))
    read = {"run": read_run, "qrels": read_qrels, "names.txt": lambda path: list(read_lines(path))}
    with pytest.raises(CorpusError, match=f"{name} is stored as UTF-16: save it as UTF-8"):
        read.get(name, lambda path: list(open_corpus(str(path))))(path)


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(b"one\n\xe9\n")
    with pytest.raises(CorpusError, match=r"names\.txt:2: the line is not UTF-8"):
        list(read_lines(tmp_path / "names.txt"))


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "undefined", "a\0b", "punycode\ud800"])
def test_what_is_no_encoding_of_texts(name: str) -> None:
    with pytest.raises(OptionError, match="unknown encoding"):
        checked_encoding(name)


def test_no_reader_parts_a_file_at_what_only_python_calls_a_line_end() -> None:
    folder = Path(lines.__file__).parent
    sources = [*folder.glob("*.py"), folder.parent / "evaluation" / "trec.py"]
    assert len(sources) > 20
    assert [path.name for path in sources if ".splitlines(" in path.read_text(encoding="utf-8")] == []
