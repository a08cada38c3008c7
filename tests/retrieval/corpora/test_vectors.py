import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import CorpusError
from retrieval.corpora.registry import open_corpus

MATRIX = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def fvecs(matrix):
    widths = np.full((len(matrix), 1), matrix.shape[1], dtype="<i4")
    return np.hstack([widths, matrix.astype("<f4").view("<i4")]).tobytes()


@pytest.fixture(params=["v.npy", "v.npz", "v.fvecs"])
def path(request, tmp_path):
    path = tmp_path / request.param
    if path.suffix == ".npy":
        np.save(path, MATRIX.astype(np.float64))
    elif path.suffix == ".npz":
        np.savez(path, anything=MATRIX)
    else:
        path.write_bytes(fvecs(MATRIX))
    return path


def test_every_format(path):
    corpus = open_corpus(str(path))
    assert corpus.modality is Modality.VECTOR
    assert corpus.size == 5
    for _ in range(2):
        items = list(corpus)
        assert [item.id for item in items] == ["0", "1", "2", "3", "4"]
        assert items[0].content.dtype == np.float32
        np.testing.assert_array_equal(np.stack([item.content for item in items]), MATRIX)


def test_ids_and_labels_from_files(path, tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\nc\nd\ne\n")
    items = list(open_corpus(f"{path}?ids=names.txt&labels={tmp_path / 'names.txt'}"))
    assert [(item.id, item.label) for item in items] == [(name, name) for name in "abcde"]
    (tmp_path / "names.txt").write_text("a\nb\n")
    with pytest.raises(CorpusError, match="holds 2 ids for the 5 vectors"):
        list(open_corpus(f"{path}?ids=names.txt"))
    with pytest.raises(CorpusError, match=r"none\.txt does not exist"):
        list(open_corpus(f"{path}?ids=none.txt"))


def test_arrays_of_an_npz(tmp_path):
    path = tmp_path / "v.npz"
    np.savez(
        path, codes=MATRIX, other=MATRIX[::-1], ids=np.array(list("abcde")), labels=np.arange(5), keys=np.arange(5)
    )
    with pytest.raises(CorpusError, match=r"several arrays: choose one with \?key=, of: codes, other, ids, labels"):
        list(open_corpus(str(path)))
    with pytest.raises(CorpusError, match="has no array 'nothing'; it has: codes"):
        list(open_corpus(f"{path}?key=nothing"))
    items = list(open_corpus(f"{path}?key=other"))
    assert [(item.id, item.label) for item in items] == list(zip("abcde", "01234", strict=True))
    np.testing.assert_array_equal(items[0].content, MATRIX[4])
    assert [item.id for item in open_corpus(f"{path}?key=codes&ids=keys")] == list("01234")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_not_finite(tmp_path, left_out, bad):
    matrix = MATRIX.astype(np.float64)
    matrix[2, 1] = bad
    np.save(tmp_path / "v.npy", matrix)
    with pytest.raises(CorpusError, match="row 2 holds NaN or infinite values"):
        list(open_corpus(str(tmp_path / "v.npy")))
    items = list(open_corpus(str(tmp_path / "v.npy"), on_bad=left_out.append))
    assert [item.id for item in items] == ["0", "1", "3", "4"]
    assert len(left_out) == 1


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.arange(3), r"shape \(3,\); expected numbers \(n, dim\)"),
        (np.array([["a"]]), "expected numbers"),
        (np.array([[{}]], dtype=object), "not a readable .npy file"),
        (np.empty((0, 3)), "holds no items"),
        (np.empty((3, 0)), "holds 3 vectors without any numbers"),
    ],
)
def test_unfit_arrays(tmp_path, array, message):
    np.save(tmp_path / "v.npy", array, allow_pickle=True)
    with pytest.raises(CorpusError, match=message):
        list(open_corpus(str(tmp_path / "v.npy")))


@pytest.mark.parametrize("name", ["v.npy", "v.npz"])
def test_foreign_content(tmp_path, name):
    (tmp_path / name).write_bytes(b"something else entirely")
    with pytest.raises(CorpusError, match=rf"not a readable \{name[1:]} file of numbers \(n, dim\)"):
        list(open_corpus(str(tmp_path / name)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (fvecs(MATRIX)[:-4], "not an .fvecs file, or is truncated"),
        (b"\xff" * 32, "not an .fvecs file"),
        (fvecs(MATRIX[:1]) + (1).to_bytes(4, "little") * 4, "different widths"),
    ],
)
def test_damaged_fvecs(tmp_path, content, message):
    (tmp_path / "v.fvecs").write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        list(open_corpus(str(tmp_path / "v.fvecs")))


def test_half_characters_in_an_array_of_ids_are_named(tmp_path):
    np.savez(tmp_path / "v.npz", vectors=np.eye(2), ids=np.array(["a", "b\ud800"]))
    with pytest.raises(CorpusError, match=r"v.npz: it holds half a character"):
        list(open_corpus(str(tmp_path / "v.npz")))
