import io
import tarfile
from itertools import islice

import pytest

from encoders.errors import CorpusError
from retrieval.corpora.folder_files import read_files
from retrieval.corpora.newsgroups import Newsgroups, strip_posting
from retrieval.corpora.registry import open_corpus


def test_real_counts(real_data):
    real_data("20newsgroups")
    corpus = open_corpus("20newsgroups")
    items, queries = list(corpus), list(corpus.queries())
    assert len(items) + corpus.dropped["train"] == 11_314
    assert len(queries) + corpus.dropped["test"] == 7_532
    assert len({item.label for item in items}) == len({query.label for query in queries}) == 20
    assert corpus.size == len(items)
    assert all(item.content.strip() for item in items)
    assert not any(item.content.startswith(("From:", "Subject:")) for item in items[:500])
    assert items[0].title == "Alt.Atheism FAQ: Atheist Resources"
    assert not {item.id for item in items} & {query.id for query in queries}


def test_strips_as_scikit_learn_does(real_data):
    from sklearn.datasets import _twenty_newsgroups as theirs

    archive = real_data("20newsgroups") / "20news-bydate.tar.xz"
    for file in islice(read_files(archive, lambda name: True), 0, 1_500, 3):
        posting = file.raw.decode("latin-1")
        expected = theirs.strip_newsgroup_quoting(theirs.strip_newsgroup_footer(theirs.strip_newsgroup_header(posting)))
        assert strip_posting(posting) == expected


@pytest.fixture
def archive(tmp_path):
    def make(postings):
        path = tmp_path / "20news-bydate.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for name, text in postings.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
        return path

    return make


def test_empty_after_stripping_is_dropped_and_counted(archive):
    path = archive(
        {
            "20news-bydate-train/sci.space/1": "Subject: Moon\n\nGoing up.\n",
            "20news-bydate-train/sci.space/2": "Subject: Re: Moon\n\n> Going up.\n",
            "20news-bydate-test/sci.space/3": "Subject: Mars\n\nFurther up.\n",
        }
    )
    corpus = Newsgroups(path)
    assert [(item.id, item.label, item.title, item.content) for item in corpus] == [
        ("train/sci.space/1", "sci.space", "Moon", "Going up.\n")
    ]
    assert [query.id for query in corpus.queries()] == ["test/sci.space/3"]
    assert corpus.dropped == {"train": 1, "test": 0}
    raw = Newsgroups(path, raw=True)
    assert len(list(raw)) == 2
    assert next(iter(raw)).content.startswith("Subject: Moon")
    own = Newsgroups(path, split="test")
    assert own.queries_are_items
    assert [item.id for item in own] == [query.id for query in own.queries()]


def test_another_archive_is_refused(archive):
    with pytest.raises(CorpusError, match="20news-bydate-train"):
        list(Newsgroups(archive({"some/other/file": "text"})))
