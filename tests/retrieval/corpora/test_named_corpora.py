from itertools import islice

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import UnknownNameError
from retrieval.corpora.base import unique_ids
from retrieval.corpora.folder_files import list_names
from retrieval.corpora.images import Images
from retrieval.corpora.registry import open_corpus


def test_digits():
    from sklearn.datasets import load_digits

    corpus = open_corpus("digits")
    items, bunch = list(corpus), load_digits()
    assert len(items) == corpus.size == 1_797
    assert corpus.queries_are_items
    assert corpus.qrels() is None
    assert [item.label for item in items] == [str(digit) for digit in bunch.target]
    assert items[0].content.shape == (8, 8)
    assert items[0].content.dtype == np.uint8
    assert (items[0].content == np.rint(bunch.images[0] * 255 / 16)).all()
    assert max(int(item.content.max()) for item in items) == 255
    assert [item.id for item in corpus.queries()] == [item.id for item in corpus]


def test_mnist(real_data):
    real_data("mnist")
    corpus = open_corpus("mnist")
    items = list(corpus)
    queries = list(corpus.queries())
    assert (len(items), len(queries)) == (60_000, 10_000)
    assert [item.label for item in items[:5]] == ["5", "0", "4", "1", "9"]
    assert queries[0].label == "7"
    assert items[0].content.base is not None  # a view: the pictures are held once
    assert items[0].content.shape == (28, 28)
    assert not corpus.queries_are_items
    assert not {item.id for item in items} & {query.id for query in queries}
    # Known from anyone's PCA: the mean grey level of the training pictures.
    assert np.mean([item.content.mean() for item in items]) / 255 == pytest.approx(0.1307, abs=1e-4)


def test_mnist_test_split_queries_itself(real_data):
    real_data("mnist")
    corpus = open_corpus("mnist?split=test")
    assert corpus.size == 10_000
    assert corpus.queries_are_items
    assert next(iter(corpus)).id == next(corpus.queries()).id == "test/0"


@pytest.mark.parametrize(
    ("name", "documents", "queries", "judgements"),
    [
        ("cranfield", 1_400, 225, 1_837),
        ("cisi", 1_460, 76, 3_114),
        ("npl", 11_429, 93, 2_083),
        ("scifact", 5_183, 300, 339),
        ("scifact?split=train", 5_183, 809, 919),
    ],
)
def test_test_collections(real_data, name, documents, queries, judgements):
    real_data(f"beir/{name.partition('?')[0]}")
    corpus = open_corpus(name)
    ids = {item.id for item in unique_ids(corpus)}
    asked = {query.id for query in unique_ids(corpus.queries())}
    qrels = corpus.qrels()
    assert len(ids) == documents
    assert len(asked) == queries
    assert sum(map(len, qrels.values())) == judgements
    assert asked == qrels.keys()
    assert all(linked.keys() <= ids for linked in qrels.values())


def test_cranfield_keeps_its_two_empty_documents_and_its_grades(real_data):
    real_data("beir/cranfield")
    corpus = open_corpus("cranfield")
    assert [item.id for item in corpus if not item.content.strip()] == ["471", "995"]
    grades = [grade for linked in corpus.qrels().values() for grade in linked.values()]
    assert set(grades) == {0, 1, 2, 3, 4}
    first = next(iter(corpus))
    assert first.content.startswith(f"{first.title}\n")


def test_arxiv(real_data):
    real_data("arxiv-80k")
    corpus = open_corpus("arxiv-80k")
    labels = [item.label for item in corpus]
    assert len(labels) == 80_000
    assert len(set(labels)) == 172
    assert corpus.qrels() is None
    assert corpus.queries_are_items


def test_orl_faces(real_data):
    real_data("orl-faces")
    corpus = open_corpus("orl-faces")
    items = list(corpus)
    assert len(items) == 400
    assert len({item.label for item in items}) == 40
    assert {item.content.shape for item in items} == {(112, 92)}
    assert [item.id for item in corpus] == [item.id for item in items]


def test_orl_faces_resized_in_colour(real_data):
    real_data("orl-faces")
    first = next(iter(open_corpus("orl-faces?size=23x28&grey=false")))
    assert first.content.shape == (28, 23, 3)


def test_cifar10(real_data):
    folder = real_data("cifar10")
    archive = folder / "CIFAR-10-images-jpg.tar.gz"
    names = [name.split("/") for name in list_names(archive) if name.endswith(".jpg")]
    assert sum("train" in name for name in names) == 50_000
    assert sum("test" in name for name in names) == 10_000
    # Decoding all takes a quarter of a minute: some must do here.
    some = list(islice(Images(archive, "cifar10", part="test"), 1_200))
    assert {item.content.shape for item in some} == {(32, 32, 3)}
    assert {item.label for item in some} == {"airplane", "automobile"}
    assert open_corpus("cifar10").modality is Modality.IMAGE


def test_speech_digits(real_data):
    real_data("speech-digits")
    corpus = open_corpus("speech-digits")
    items, queries = list(corpus), list(corpus.queries())
    assert (len(items), len(queries)) == (2_700, 300)
    assert not corpus.queries_are_items
    assert not {item.id for item in items} & {query.id for query in queries}
    assert {item.content.rate for item in items} == {8_000}
    assert {int(query.metadata["take"]) for query in queries} == set(range(5))
    assert {item.label for item in items} == set("0123456789")
    first = items[0]
    assert first.id == "_".join(first.metadata[field] for field in ("digit", "speaker", "take"))
    speakers = {item.label for item in open_corpus("speech-digits?label=speaker&split=test")}
    assert speakers == {"george", "jackson", "lucas", "nicolas", "theo", "yweweler"}


def test_speech_digits_without_one_speaker(real_data):
    real_data("speech-digits")
    corpus = open_corpus("speech-digits?leave-out=jackson")
    assert {item.metadata["speaker"] for item in corpus.queries()} == {"jackson"}
    assert "jackson" not in {item.metadata["speaker"] for item in corpus}
    assert (sum(1 for _ in corpus), sum(1 for _ in corpus.queries())) == (2_250, 50)
    every = open_corpus("speech-digits?leave-out=jackson&split=all")
    assert (sum(1 for _ in every), sum(1 for _ in every.queries())) == (2_500, 500)
    with pytest.raises(UnknownNameError, match="unknown speaker 'jakson'; did you mean 'jackson'"):
        list(open_corpus("speech-digits?leave-out=jakson"))
