import gzip

import numpy as np
import pytest

from encoders.errors import CorpusError, OptionError
from retrieval.corpora.idx import Idx
from retrieval.corpora.registry import open_corpus

PICTURES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def idx(array, kind=0x08):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    labels = np.array([2, 0, 1], dtype=np.uint8)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(PICTURES))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PICTURES[:1])))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[:1])))
    return tmp_path


def test_folder(folder):
    corpus = open_corpus(str(folder))
    for _ in range(2):
        assert [(item.id, item.label) for item in corpus] == [("train/0", "2"), ("train/1", "0"), ("train/2", "1")]
        assert [(query.id, query.label) for query in corpus.queries()] == [("test/0", "2")]
    assert all((item.content == picture).all() for item, picture in zip(corpus, PICTURES, strict=True))
    assert not corpus.queries_are_items
    assert corpus.size == 3


def test_class_names(folder):
    assert [item.label for item in Idx(folder, "f", class_names=("a", "b", "c"))] == ["c", "a", "b"]


def test_single_file_finds_its_labels(folder):
    corpus = open_corpus(str(folder / "train-images-idx3-ubyte"))
    assert [(item.id, item.label) for item in corpus] == [("0", "2"), ("1", "0"), ("2", "1")]
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    assert [item.label for item in open_corpus(corpus.name)] == [None] * 3


def test_unknown_split(folder):
    with pytest.raises(OptionError, match="split is one of train, test"):
        open_corpus(f"{folder}?split=dev")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(PICTURES)[:-1], "its header promises 60 bytes, it holds 59"),
        (idx(PICTURES) + b"x", "its header promises 60 bytes, it holds more"),
        (idx(PICTURES)[:6], "is damaged"),
        (idx(PICTURES, 0x0D), "only unsigned bytes"),
        (b"", "is not an IDX file"),
        (b"text", "is not an IDX file"),
        (idx(PICTURES[0]), "2-dimensional data, not pictures"),
        (bytes([0, 0, 8, 3]) + b"\x7f\xff\xff\xff" * 3, "is damaged"),  # promises more than any memory
    ],
)
def test_damaged(tmp_path, content, message):
    path = tmp_path / "x-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        list(open_corpus(str(path)))


def test_labels_of_another_length(folder):
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(2, dtype=np.uint8))))
    with pytest.raises(CorpusError, match="2 labels for the 3 pictures"):
        list(open_corpus(str(folder)))


def test_cut_off_gzip(folder):
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CorpusError, match="is damaged"):
        list(open_corpus(str(folder)).queries())
