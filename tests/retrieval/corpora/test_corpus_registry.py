import dataclasses
import inspect
import re
import subprocess
import sys

import pytest

from encoders.errors import CorpusError, DownloadError, OptionError, UnknownNameError
from retrieval.corpora.address import parse_address
from retrieval.corpora.catalogue import catalogue
from retrieval.corpora.datasets import DATASETS
from retrieval.corpora.registry import EMBEDDED, FORMATS, NAMED, load_class, open_corpus


def test_tables_agree():
    assert NAMED.keys() == DATASETS.keys()
    assert {row.name for row in catalogue()} == {*EMBEDDED, *NAMED}
    for location in [*FORMATS.values(), *(entry.location for entry in (EMBEDDED | NAMED).values())]:
        assert load_class(location).modality


def test_catalogue_says_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path))
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    assert {row.name for row in catalogue() if row.present} == EMBEDDED.keys()
    (tmp_path / "orl-faces").mkdir()
    (tmp_path / "orl-faces" / "orl_faces.tar.xz").write_bytes(b"12345")
    rows = {row.name: row for row in catalogue()}
    assert rows["orl-faces"].present
    assert rows["orl-faces"].bytes == 5
    assert rows["orl-faces"].where == str(tmp_path / "orl-faces")
    assert rows["mnist"].where.startswith("https://")
    assert rows["cisi"].where.startswith("by hand: ")
    assert (rows["mnist"].items, rows["mnist"].queries, rows["mnist"].licence) == (60_000, 10_000, "CC BY-SA 3.0")


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("minst", UnknownNameError, "unknown corpus or path 'minst'; did you mean 'mnist'"),
        ("", UnknownNameError, "unknown corpus or path ''"),
        (
            "nowhere/at/all.csv",
            CorpusError,
            "'nowhere/at/all.csv' is not a file or folder here, and no corpus has that",
        ),
        ("digits.jsonl", CorpusError, "'digits.jsonl' is not a file or folder here"),
        (
            "nowhere",
            CorpusError,
            "'nowhere' is not a file or folder here, and no corpus has that name: see  nearby corpora",
        ),
        ("x" * 5000, CorpusError, "is not a file or folder here"),
        ("nul\0byte", CorpusError, "is not a file or folder here"),
        ("digits?splt=test", OptionError, "digits takes no options; got 'splt'"),
        (
            "mnist?splt=test",
            OptionError,
            "mnist has no option 'splt'; did you mean 'split'\\? Its options: max-bytes, split$",
        ),
        ("mnist?split=dev", OptionError, "mnist: split is one of train, test; got 'dev'"),
        ("orl-faces?grey=7", OptionError, "orl-faces: grey should be true or false; got '7'"),
        ("digits?", OptionError, "expected key=value after"),
        ("mnist?split", OptionError, "expected key=value after"),
        ("mnist?split=", OptionError, "expected key=value after"),
        ("mnist?max-bytes=0", OptionError, "mnist: max-bytes should be at least 1; got 0"),
        ("mnist?split=test&split=train", OptionError, "'split' is given twice"),
    ],
)
def test_bad_addresses(address, error, message, tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path))  # no data set is there, and none is asked for
    with pytest.raises(error, match=message):
        open_corpus(address)


def test_fixed_fields_are_no_options(tmp_path):
    (tmp_path / "t.csv").write_text("text\nx\n")
    for key in ("path", "name", "on_bad"):
        with pytest.raises(OptionError, match=f"csv has no option '{key.replace('_', '-')}'"):
            open_corpus(f"{tmp_path / 't.csv'}?{key}=x")


def test_options_are_refused_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path))
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path))
    with pytest.raises(OptionError, match="npl has no option 'spilt'"):
        open_corpus("npl?spilt=test")
    with pytest.raises(OptionError, match="orl-faces: fit is one of crop, pad, stretch; got 'foo'"):
        open_corpus("orl-faces?fit=foo")
    with pytest.raises(DownloadError):
        open_corpus("npl")


def test_values_of_options():
    assert parse_address("a.csv?text=a%26b&delimiter=+").options == {"text": "a&b", "delimiter": "+"}


def test_a_path_with_a_question_mark(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "what?.csv").write_text("body\nx\n")
    assert next(iter(open_corpus("what?.csv?text=body"))).content == "x"
    assert parse_address("what?.csv").target == "what?.csv"


@pytest.mark.parametrize("name", ["unknown.xyz", "no_suffix", "table.parquet.gz", "vectors.npy.gz"])
def test_unknown_kind_of_file(tmp_path, name):
    (tmp_path / name).write_text("?")
    with pytest.raises(CorpusError, match=r"does not know the format of .*; it reads a BEIR folder"):
        open_corpus(str(tmp_path / name))


def test_unfit_folders(tmp_path):
    with pytest.raises(CorpusError, match="holds no files; nearby reads"):
        open_corpus(str(tmp_path))
    (tmp_path / "a.csv").write_text("text\nx\n")
    with pytest.raises(
        CorpusError, match=r"holds \.csv files, neither texts, pictures nor sounds; to read one of them, name it"
    ):
        open_corpus(str(tmp_path))
    (tmp_path / "a.csv").unlink()
    (tmp_path / "a").write_bytes(b"\0\1\2")
    with pytest.raises(CorpusError, match="holds binary files such as a"):
        open_corpus(str(tmp_path))


def test_the_home_folder_may_be_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "t.csv").write_text("text\nx\n")
    assert len(list(open_corpus("~/t.csv"))) == 1


def test_opening_imports_nothing_heavy():
    program = (
        "import sys; from retrieval.corpora.catalogue import catalogue; from retrieval.corpora.registry import open_corpus; catalogue(); open_corpus('api-docs');"
        "print(sorted({'torch', 'sklearn', 'PIL', 'pyarrow', 'pooch', 'requests'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_path_that_is_nearly_one_is_corrected(tmp_path):
    (tmp_path / "news.csv").write_text("text\nx\n")
    with pytest.raises(CorpusError, match=r"news\.cvs' is not a file or folder here; did you mean '.*news\.csv'\?"):
        open_corpus(str(tmp_path / "news.cvs"))


@pytest.mark.parametrize("name", ["MNIST", "20-newsgroups", "arxiv80k", "ORL_faces"])
def test_a_name_is_recognised_whatever_its_case_and_hyphens(name):
    with pytest.raises(UnknownNameError, match="did you mean '"):
        open_corpus(name)


@pytest.mark.parametrize(
    "location", sorted({*FORMATS.values(), *(row.location for row in (EMBEDDED | NAMED).values())})
)
def test_every_corpus_says_what_it_is_and_what_its_options_do(location):
    """docs/corpora.md is made of these sentences."""
    cls = load_class(location)
    summary = inspect.getdoc(cls).split("\n\n")[0]
    assert re.fullmatch(r"[^\n]+\.", summary)
    for field in dataclasses.fields(cls):
        if "help" in field.metadata:
            assert re.fullmatch(r"[A-Z][^\n]+[.)]\.?", field.metadata["help"]), field.name


def test_every_named_corpus_has_a_sentence():
    for row in catalogue():
        assert re.fullmatch(r"[A-Z0-9][^\n]+\.", row.summary)
