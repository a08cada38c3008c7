import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile

import pytest

from encoders.errors import CorpusError, DownloadError, UnknownNameError
from retrieval.corpora import download
from retrieval.corpora.cifar10 import RECORD
from retrieval.corpora.datasets import DATASETS, Remote
from retrieval.corpora.registry import open_corpus


@pytest.fixture
def server(tmp_path):
    """A web server on this machine: its address, the folder it serves, and the paths that were asked for."""
    served, asked = tmp_path / "served", []
    served.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(served))

        def log_message(self, *arguments):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", served, asked
        running.shutdown()


@pytest.fixture
def offer(server, tmp_path, monkeypatch):
    """Serve a file in place of a data set's own; returns the cache folder."""
    monkeypatch.delenv("NEARBY_DATA", raising=False)
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    base, served, _ = server

    def set_up(name, files, unpack="", checksum=None):
        remotes = []
        for file, raw in files.items():
            (served / file).write_bytes(raw)
            remotes.append(Remote(file, f"{base}/{file}", checksum or f"sha256:{hashlib.sha256(raw).hexdigest()}"))
        monkeypatch.setitem(DATASETS, name, DATASETS[name]._replace(remotes=tuple(remotes), unpack=unpack))
        return tmp_path / "cache"

    return set_up


def tar_gz(contents):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, raw in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return stream.getvalue()


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_fetched_once(offer, server):
    binary = {f"cifar-10-batches-bin/data_batch_{part}.bin": bytes([part]) * RECORD for part in range(1, 6)}
    binary["cifar-10-batches-bin/test_batch.bin"] = bytes([9]) + bytes(1024) + bytes([7]) * 1024 + bytes([255]) * 1024
    cache = offer("cifar10", {"cifar-10-binary.tar.gz": tar_gz(binary)})
    corpus = open_corpus("cifar10")
    assert download.fetch("cifar10") == cache / "cifar10"
    assert server[2] == ["/cifar-10-binary.tar.gz"]
    assert [item.label for item in corpus] == ["automobile", "bird", "cat", "deer", "dog"]
    (query,) = corpus.queries()
    assert query.label == "truck"
    assert query.content.shape == (32, 32, 3)
    assert query.content[0, 0].tolist() == [0, 7, 255]


def test_wrong_checksum_is_refused_and_nothing_kept(offer):
    cache = offer("cifar10", {"cifar-10-binary.tar.gz": b"tampered"}, checksum="sha256:" + "0" * 64)
    with pytest.raises(
        DownloadError, match=r"is not the 'cifar10' that was published \(wrong checksum\), not kept: put"
    ):
        download.fetch("cifar10")
    assert not (cache / "cifar10").exists()
    assert download.find("cifar10") is None


def test_half_a_set_is_completed(offer, server):
    names = [f"{name}.gz" for name in DATASETS["fashion-mnist"].forms[0]]
    cache = offer("fashion-mnist", {name: name.encode() for name in names})
    (cache / "fashion-mnist").mkdir(parents=True)
    (cache / "fashion-mnist" / names[0]).write_bytes(names[0].encode())
    assert download.fetch("fashion-mnist") == cache / "fashion-mnist"
    assert files_below(cache / "fashion-mnist") == sorted(names)
    assert f"/{names[0]}" not in server[2]


def test_missing_on_the_server(offer, server):
    offer("cifar10", {"cifar-10-binary.tar.gz": b""})
    (server[1] / "cifar-10-binary.tar.gz").unlink()
    with pytest.raises(DownloadError, match=r"could not be reached \(HTTPError\)"):
        download.fetch("cifar10")


def test_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    # Port 9 (discard) of this machine: refused at once.
    remote = Remote("cran.tar.gz", "http://127.0.0.1:9/cran.tar.gz", "sha256:00")
    monkeypatch.setitem(DATASETS, "cranfield", DATASETS["cranfield"]._replace(remotes=(remote,)))
    with pytest.raises(DownloadError) as caught:
        download.fetch("cranfield")
    message = str(caught.value)
    assert "'cranfield' is not in " in message
    assert str(tmp_path / "cache" / "beir/cranfield") in message
    assert "http://127.0.0.1:9/cran.tar.gz could not be reached" in message
    assert f"put corpus.jsonl, queries.jsonl, qrels/test.tsv into {tmp_path / 'data' / 'beir/cranfield'}" in message
    assert "\n" not in message
    assert files_below(tmp_path) == []


def test_set_without_an_address(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path))
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path))
    with pytest.raises(DownloadError, match=r"no address to fetch it from: put orl_faces\.tar\.xz into"):
        download.fetch("orl-faces")


def test_unknown_set():
    with pytest.raises(UnknownNameError, match="did you mean 'scifact'"):
        download.fetch("scifacts")


def test_data_folder_comes_before_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    for root in ("cache", "data"):
        folder = tmp_path / root / "20newsgroups"
        folder.mkdir(parents=True)
        (folder / "20news-bydate.tar.gz").touch()
        assert download.fetch("20newsgroups") == folder


def test_beir_zip(offer):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("scifact/corpus.jsonl", json.dumps({"_id": "d", "title": "t", "text": "x"}))
        archive.writestr("scifact/queries.jsonl", json.dumps({"_id": "q", "text": "y"}))
        archive.writestr("scifact/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\td\t1\n")
        archive.writestr("../../climbing.txt", "out of here")
    cache = offer("scifact", {"scifact.zip": stream.getvalue()}, unpack=DATASETS["scifact"].unpack)
    corpus = open_corpus("scifact")
    assert corpus.qrels() == {"q": {"d": 1}}
    assert files_below(cache) == [
        f"beir/scifact/{name}" for name in ("corpus.jsonl", "qrels/test.tsv", "queries.jsonl")
    ]


CRANFIELD = {
    "cran.all.1400": b".I 1\n.T\na wing\n.A\nbrenckman,m.\n.B\nj. ae.\n.W\na wing\nin a slipstream .\n.I 2\n.T\n.A\n.B\n.W\n",
    "cran.qry": b".I 001\r\n.W\r\nwhat laws\r\n.I 004\r\n.W\r\nwhich problems .\r\n",
    "cranqrel": b"1 1 2\n1 2 -1\n2 2 4 \n",
}


def test_cranfield_archive(offer):
    cache = offer("cranfield", {"cran.tar.gz": tar_gz(CRANFIELD)}, unpack=DATASETS["cranfield"].unpack)
    corpus = open_corpus("cranfield")
    items = [(item.id, item.content) for item in corpus]
    assert items == [("1", "a wing\na wing in a slipstream ."), ("2", "")]
    assert [(query.id, query.content) for query in corpus.queries()] == [("1", "what laws"), ("2", "which problems .")]
    assert corpus.qrels() == {"1": {"1": 3, "2": 0}, "2": {"2": 1}}
    assert not [path for path in cache.rglob("*") if path.name.startswith(".")]


def test_unfit_archive_leaves_nothing(offer):
    del_one = {name: raw for name, raw in CRANFIELD.items() if name != "cranqrel"}
    cache = offer("cranfield", {"cran.tar.gz": tar_gz(del_one)}, unpack=DATASETS["cranfield"].unpack)
    with pytest.raises(CorpusError, match="has no cranqrel"):
        download.fetch("cranfield")
    assert files_below(cache) == []


def test_checksums_are_well_formed():
    lengths = {"sha256": 64, "md5": 32}
    for row in DATASETS.values():
        for remote in row.remotes:
            kind, _, digits = remote.checksum.partition(":")
            assert len(digits) == lengths[kind]
            assert remote.url.startswith("https://")
