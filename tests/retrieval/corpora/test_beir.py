import gzip
import json

import pytest

from encoders.errors import CorpusError, UnknownNameError
from retrieval.corpora.registry import open_corpus

DOCUMENTS = [
    {"_id": "d1", "title": "Title", "text": "Text.", "metadata": {"topic": "x"}},
    {"_id": "d2", "title": "", "text": ""},
]
QUERIES = [{"_id": "q1", "text": "one?"}, {"_id": "q2", "text": "two?"}, {"_id": "q3", "text": "never judged"}]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in DOCUMENTS))
    queries = "".join(json.dumps(row) + "\n" for row in QUERIES).encode()
    (tmp_path / "queries.jsonl.gz").write_bytes(gzip.compress(queries))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\n")
    (tmp_path / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td2\t1\n")
    return tmp_path


def test_split(folder):
    corpus = open_corpus(str(folder))
    assert [(item.id, item.content, item.title) for item in corpus] == [
        ("d1", "Title\nText.", "Title"),
        ("d2", "", None),
    ]
    assert [query.id for query in corpus.queries()] == ["q1"]
    assert corpus.qrels() == {"q1": {"d1": 2, "d2": 0}}
    assert not corpus.queries_are_items
    train = open_corpus(f"{folder}?split=train&label=topic")
    assert train.qrels() == {"q2": {"d2": 1}}
    assert [item.label for item in train] == ["x", None]


def test_unknown_split(folder):
    with pytest.raises(UnknownNameError, match="did you mean 'train'"):
        open_corpus(f"{folder}?split=trian").qrels()


def test_only_split_is_taken_but_never_one_of_several(folder):
    (folder / "qrels" / "test.tsv").unlink()
    assert open_corpus(str(folder)).qrels() == {"q2": {"d2": 1}}
    (folder / "qrels" / "dev.tsv").write_text("q1\td1\t1\n")
    with pytest.raises(CorpusError, match=r"choose one with \?split=, of: dev, train"):
        open_corpus(str(folder)).qrels()
    assert open_corpus(f"{folder}?split=dev").qrels() == {"q1": {"d1": 1}}  # a head is no must


def test_broken_judgement(folder, left_out):
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\nq1\td2\t1\n")
    with pytest.raises(CorpusError, match=r"test\.tsv:2: expected 3 columns 'query, document, grade'"):
        open_corpus(str(folder)).qrels()
    assert open_corpus(str(folder), on_bad=left_out.append).qrels() == {"q1": {"d2": 1}}
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n")
    with pytest.raises(CorpusError, match="holds no judgements"):
        open_corpus(str(folder)).qrels()


def test_documents_alone(folder):
    (folder / "queries.jsonl.gz").unlink()
    for path in (folder / "qrels").iterdir():
        path.unlink()
    corpus = open_corpus(str(folder))
    assert corpus.qrels() is None
    assert corpus.queries_are_items
    assert [query.id for query in corpus.queries()] == ["d1", "d2"]
