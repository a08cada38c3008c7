"""Every reader of corpora, judgements, runs and vectors, with good files of its format."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fuzzing.cases import Case

TEXTS = [
    "the boundary layer of a flat plate", "heat transfer, laminar", 'a "red" apple; two pears', "天気は晴れ", "naïve – café",
    "apple trees and pear trees grow in the garden", "hypersonic flow past a blunt body", "line one\nline two", "x", "100 % sure",
]  # fmt: skip
MATRIX = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)


def read_corpus(*addresses: str) -> Callable[[Path, Path, random.Random], object]:
    """Read a corpus at one of some addresses below the folder, store all of it, and read that again."""

    def read(folder: Path, scratch: Path, rng: random.Random) -> object:
        from retrieval.collection.item_draft import ItemDraft
        from retrieval.corpora.registry import open_corpus

        corpus = open_corpus(f"{folder}/{rng.choice((addresses[0], *addresses))}")
        store = ItemDraft.create(scratch / "items.sqlite", corpus)
        try:
            for _ in store:
                pass
            for batch in corpus.batches():
                del batch
            _ = corpus.size, corpus.digest(), store.qrels(), sum(1 for _ in store.queries())
        finally:
            store.close()
        return None

    return read


def _read(name: str) -> Callable[[Path, Path, random.Random], object]:
    """Read one file by a function of `retrieval.evaluation.trec`."""

    def read(folder: Path, scratch: Path, rng: random.Random) -> object:
        from retrieval.evaluation import trec

        path = rng.choice(sorted(folder.iterdir()))
        return getattr(trec, name)(path)

    return read


def _npy(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.code_matrix import read_npy

    return read_npy(folder / "rows.npy", 4, "rows of 4 numbers")


def _csv_rows(mark: str) -> str:
    rows = [
        f'{n}{mark}title {n}{mark}"{text.replace(chr(34), chr(34) * 2)}"{mark}{"ab"[n % 2]}'
        for n, text in enumerate(TEXTS)
    ]
    return "\n".join([mark.join(("id", "title", "text", "label")), *rows]) + "\n"


def _records() -> str:
    lines = [
        json.dumps(
            {
                "_id": str(n),
                "title": f"t {n}",
                "text": text,
                "label": "ab"[n % 2],
                "metadata": {"year": 2000 + n, "x": [1]},
            }
        )
        for n, text in enumerate(TEXTS)
    ]
    return "\n".join(lines) + "\n"


def _table_rows(mark: str) -> str:
    rows = [
        mark.join((f"{n}", f"{n * 1.5e3}", "CASH_OUT" if n % 2 else "", f"2026-01-{n + 1:02d} 10:00", '"a ""note"""'))
        for n in range(9)
    ]
    return "\n".join([mark.join(("id", "amount", "type", "when", "note")), *rows]) + "\n"


def _table_records() -> str:
    rows = [
        {"_id": n, "amount": n * 1.5e3, "type": None if n % 2 else "x", "place": {"city": "Rome", "tags": [n]}}
        for n in range(9)
    ]
    return "\n".join(map(json.dumps, rows)) + "\n"


def _connections() -> str:
    return "".join(f"{n},tcp,http,SF,{n * 7},{','.join(['0.00'] * 36)},normal.\n" for n in range(9))


def _read_connections(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.kddcup99 import KddCup99

    return [item.content for item in KddCup99(folder / rng.choice(("k", "k.gz")), "kddcup99")]


def _row_query(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.errors import QueryError
    from encoders.row import Row
    from retrieval.search.row_query import row_of

    try:
        text = (folder / "q.json").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise QueryError(str(error)) from None
    return row_of(text, Row.of({"amount": 1, "type": "x", "when": None}).names)


def _written(**files: str | bytes) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        for name, content in files.items():
            path = folder / name.replace("__", ".").replace("_S_", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    return build


def _parquet(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = len(TEXTS)
    table = pa.table({
        "id": [str(i) for i in range(n)], "text": TEXTS, "label": pa.array(["a", "b"] * (n // 2)).dictionary_encode(),
        "year": list(range(n)), "nested": [{"a": [i]} for i in range(n)], "price": [1.5] * n,
    })  # fmt: skip
    pq.write_table(table, folder / "t.parquet", compression="zstd")
    pq.write_table(table.select(["id", "text"]), folder / "u.parquet", compression="none", use_dictionary=False)


def _read_parquet(folder: Path, scratch: Path, rng: random.Random) -> object:
    return read_corpus("t.parquet", "u.parquet", "t.parquet?label=nested&id=year")(folder, scratch, rng)


def _npy_files(folder: Path) -> None:
    np.save(folder / "v.npy", MATRIX)
    np.save(folder / "rows.npy", MATRIX)
    np.save(folder / "f.npy", np.asfortranarray(MATRIX.astype(np.float64)))


def _npz_files(folder: Path) -> None:
    names = [f"n{row}" for row in range(len(MATRIX))]
    np.savez(folder / "v.npz", matrix=MATRIX, ids=np.array(names), labels=np.arange(len(MATRIX)) % 3)
    np.savez_compressed(folder / "w.npz", a=MATRIX, b=MATRIX)


def _ids_files(folder: Path) -> None:
    _npy_files(folder)
    (folder / "ids.txt").write_text("\n".join(f"id{row}" for row in range(12)) + "\n")
    (folder / "labels.txt").write_text("\n".join("ab"[row % 2] for row in range(12)) + "\n")


def _fvecs(folder: Path) -> None:
    rows = np.concatenate([np.full((12, 1), 4, "<i4"), MATRIX.view("<i4")], axis=1)
    rows.tofile(folder / "v.fvecs")


def idx_bytes(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(length.to_bytes(4, "big") for length in array.shape)
    return head + array.tobytes()


def _idx(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for split, n in (("train", 20), ("t10k", 6)):
        pictures = rng.integers(0, 256, (n, 6, 5), dtype=np.uint8)
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(idx_bytes(pictures))
        (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels), mtime=0))


def _pictures() -> dict[str, bytes]:
    from PIL import Image

    rng = np.random.default_rng(2)
    colour = Image.fromarray(rng.integers(0, 256, (9, 8, 3), dtype=np.uint8))
    made: dict[str, bytes] = {}
    variants = {
        "a/1.png": (colour, {}), "a/2.jpg": (colour, {}), "a/3.bmp": (colour, {}), "a/4.gif": (colour.convert("P"), {}),
        "b/5.tif": (colour, {"compression": "tiff_lzw"}), "b/6.webp": (colour, {}), "b/7.ppm": (colour, {}),
        "b/8.pgm": (colour.convert("L"), {}), "b/9.tiff": (colour.convert("L"), {}), "b/10.png": (colour.convert("LA"), {}),
        "c/11.png": (colour.convert("I;16"), {}), "c/12.tif": (colour, {"compression": "jpeg"}),
        "c/13.tif": (colour.convert("1"), {"compression": "group4"}), "c/14.png": (colour.convert("P"), {"transparency": 0}),
        "c/15.jpg": (colour, {"progressive": True, "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"}),
        "c/16.webp": (colour.convert("RGBA"), {"lossless": True}),
    }  # fmt: skip
    for name, (image, options) in variants.items():
        held = io.BytesIO()
        kind = {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM"}.get(
            name.rpartition(".")[2], name.rpartition(".")[2].upper()
        )
        image.save(held, kind, **options)
        made[name] = held.getvalue()
    return made


def _picture_folder(folder: Path) -> None:
    for name, raw in _pictures().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)


def _picture_query(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.errors import CorpusError
    from retrieval.corpora.image_preprocessing import Preprocessing
    from retrieval.corpora.images import read_image

    refused = None
    for path in sorted(folder.rglob("*.*")):  # the damaged one is among them
        try:
            read_image(path, Preprocessing((4, 4), rng.random() < 0.5))
        except CorpusError as error:
            refused = error
    if refused is not None:
        raise refused
    return None


def _sounds() -> dict[str, bytes]:
    import soundfile

    rng = np.random.default_rng(4)
    variants = {
        "0_ann_1.wav": ("WAV", "PCM_16", 1), "0_bob_1.wav": ("WAV", "FLOAT", 2), "1_ann_1.wav": ("WAV", "IMA_ADPCM", 1),
        "1_bob_1.wav": ("WAV", "PCM_24", 2), "2_ann_1.flac": ("FLAC", "PCM_16", 1), "2_bob_1.flac": ("FLAC", "PCM_24", 2),
        "3_ann_1.wav": ("WAVEX", "ULAW", 1), "3_bob_1.wav": ("RF64", "PCM_16", 1),
    }  # fmt: skip
    made = {}
    for name, (kind, subtype, channels) in variants.items():
        held = io.BytesIO()
        soundfile.write(held, rng.normal(0, 0.2, (900, channels)), 8_000, format=kind, subtype=subtype)
        made[name] = held.getvalue()
    return made


def _sound_folder(folder: Path) -> None:
    for name, raw in _sounds().items():
        (folder / name).write_bytes(raw)


def _sound_query(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.errors import CorpusError
    from retrieval.corpora.sound_file import read_sound

    refused = None
    for path in sorted(folder.iterdir()):  # the damaged one is among them
        try:
            read_sound(path, rng.choice((None, 4_000, 48_000)))
        except CorpusError as error:
            refused = error
    if refused is not None:
        raise refused
    return None


def _text_files() -> dict[str, bytes]:
    files = {f"{'ab'[n % 2]}/{n}.txt": text.encode() for n, text in enumerate(TEXTS)}
    files["b/latin.txt"] = "naïve".encode("latin-1")
    return files


def _text_folder(folder: Path) -> None:
    for name, raw in _text_files().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)


def tar_of(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return held.getvalue()


def zip_of(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as archive:
        for name, raw in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), raw, how)
    return held.getvalue()


def _archives(kind: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        for stem, files in (("texts", _text_files()), ("pictures", _pictures())):
            raw = zip_of(files) if kind == "zip" else tar_of(files)
            packed = {"tar.gz": lambda raw: gzip.compress(raw, mtime=0), "tar.xz": lzma.compress}.get(kind, bytes)(raw)
            (folder / f"{stem}.{kind}").write_bytes(packed)
        if kind == "zip":
            (folder / "more.zip").write_bytes(zip_of(_text_files(), zipfile.ZIP_LZMA))

    return build


def _beir(folder: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(_records())
    (folder / "queries.jsonl.gz").write_bytes(
        gzip.compress(b'{"_id": "q1", "text": "heat"}\n{"_id": "q2", "text": "apple"}\n', mtime=0)
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\t1\t2\nq2\t2\t1\nq2\t5\t0\n")


def _ratings(folder: Path) -> None:
    lines = [f"u{user},i{item},{(user * item) % 5 + 1}" for user in range(6) for item in range(5)]
    (folder / "r.csv").write_text("user,item,rating\n" + "\n".join(lines) + "\n")
    (folder / "r.tsv").write_text("userId\tmovieId\trating\n" + "\n".join(lines).replace(",", "\t") + "\n")


def _read_ratings(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.registry import open_corpus

    corpus = open_corpus(f"{folder}/{rng.choice(('r.csv', 'r.tsv', 'r.csv?by=user'))}")
    return sum(1 for _ in corpus), corpus.size, corpus.digest()


def _movielens(folder: Path) -> None:
    lines = [
        f"{user}\t{item}\t{(user * item) % 5 + 1}\t88125{user}{item}" for user in range(1, 7) for item in range(1, 6)
    ]
    (folder / "u.data").write_text("\n".join(lines) + "\n")
    films = [
        f"{item}|Film {item} (1995)|01-Jan-1995||http://x|{'|'.join('01'[at == item] for at in range(19))}"
        for item in range(1, 6)
    ]
    (folder / "u.item").write_text("\n".join(films) + "\n", encoding="latin-1")


def _read_movielens(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.movielens import MovieLens

    corpus = MovieLens(folder, "ml-100k", by=rng.choice(("item", "user")))
    return [item.title for item in corpus], corpus.size


def _unpack_movielens(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.movielens import unpack

    unpack(folder / "ml.zip", scratch / "made")
    return _read_movielens(scratch / "made", scratch, rng)


def _movielens_zip(folder: Path) -> None:
    _movielens(folder)
    (folder / "ml.zip").write_bytes(
        zip_of({f"ml-100k/{name}": (folder / name).read_bytes() for name in ("u.data", "u.item")})
    )


def _cifar(folder: Path) -> None:
    rng = np.random.default_rng(3)

    def batch(n: int) -> bytes:
        return b"".join(bytes([row % 10]) + rng.bytes(3072) for row in range(n))

    files = {"cifar-10-batches-bin/data_batch_1.bin": batch(4), "cifar-10-batches-bin/test_batch.bin": batch(2)}
    (folder / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(tar_of(files), compresslevel=1, mtime=0))
    from PIL import Image

    pictures = {}
    for split in ("train", "test"):
        held = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(held, "JPEG")
        pictures[f"cifar10/{split}/cat/1.jpg"] = held.getvalue()
    (folder / "cifar10.tar").write_bytes(tar_of(pictures))


def _read_cifar(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.cifar10 import Cifar10

    corpus = Cifar10(
        folder / rng.choice(("cifar-10-binary.tar.gz", "cifar10.tar")), split=rng.choice(("train", "test"))
    )
    return sum(1 for _ in corpus), sum(1 for _ in corpus.queries())


def _newsgroups(folder: Path) -> None:
    files = {
        f"20news-bydate-{split}/sci.space/{n}": f"From: a\nSubject: {text}\n\n> old\n{text}\n--\nme\n".encode()
        for split in ("train", "test") for n, text in enumerate(TEXTS)
    }  # fmt: skip
    (folder / "20news.tar.xz").write_bytes(lzma.compress(tar_of(files)))


def _read_newsgroups(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.newsgroups import Newsgroups

    corpus = Newsgroups(folder / "20news.tar.xz", raw=rng.random() < 0.5)
    return sum(1 for _ in corpus), sum(1 for _ in corpus.queries()), corpus.dropped


def _cranfield(folder: Path) -> None:
    files = {
        "cran.all.1400": "".join(f".I {n}\n.T\nt {n}\n.A\nx\n.W\n{text}\n" for n, text in enumerate(TEXTS, 1)).encode(),
        "cran.qry": b".I 001\n.W\nheat\n.I 004\n.W\napple\n", "cranqrel": b"1 2 2\n2 3 -1\n",
    }  # fmt: skip
    (folder / "cran.tar.gz").write_bytes(gzip.compress(tar_of(files), mtime=0))


def _read_cranfield(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.cranfield import convert

    convert(folder / "cran.tar.gz", scratch / "made")
    return read_corpus("made")(scratch, scratch, rng)


def _beir_zip(folder: Path) -> None:
    files = {
        "s/corpus.jsonl": _records().encode(),
        "s/queries.jsonl": b'{"_id": "q", "text": "x"}\n',
        "s/qrels/test.tsv": b"q\t1\t1\n",
    }
    (folder / "s.zip").write_bytes(zip_of(files))


def _read_beir_zip(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.corpora.download import unpack_beir

    unpack_beir(folder / "s.zip", scratch / "made")
    return read_corpus("made")(scratch, scratch, rng)


_RUN = "".join(f"q{n % 3} Q0 d{n} {n + 1} {1 / (n + 1)} tag\n" for n in range(12))
_QRELS = "".join(f"q{n % 3} 0 d{n} {n % 2}\n" for n in range(12))
_QRELS_TSV = "query-id\tcorpus-id\tscore\n" + "".join(f"q{n % 3}\td{n}\t{n % 2}\n" for n in range(12))

READERS = [
    Case("csv", _written(t__csv=_csv_rows(",")), read_corpus("t.csv", "t.csv?text=title", "t.csv?encoding=utf-16", "t.csv?delimiter=;")),
    Case("tsv", _written(t__tsv=_csv_rows("\t")), read_corpus("t.tsv", "t.tsv?encoding=latin-1", "t.tsv?encoding=utf-7")),
    Case("jsonl", _written(t__jsonl=_records()), read_corpus("t.jsonl", "t.jsonl?label=metadata.x&id=year")),
    Case("gz", _written(t__jsonl__gz=gzip.compress(_records().encode(), mtime=0), t__csv__gz=gzip.compress(_csv_rows(",").encode(), mtime=0)), read_corpus("t.jsonl.gz", "t.csv.gz")),
    Case("csv rows", _written(t__csv=_table_rows(","), t__tsv=_table_rows("\t")), read_corpus("t.csv?columns=*", "t.tsv?columns=*", "t.csv?columns=amount,type", "t.csv?columns=*&without=note&label=type", "t.csv?columns=*&encoding=latin-1")),
    Case("jsonl rows", _written(t__jsonl=_table_records()), read_corpus("t.jsonl?columns=*", "t.jsonl?columns=amount&label=place.city")),
    Case("parquet rows", _parquet, read_corpus("t.parquet?columns=*", "u.parquet?columns=*", "t.parquet?columns=*&label=nested")),
    Case("kddcup99", _written(k__gz=gzip.compress(_connections().encode(), mtime=0), k=_connections()), _read_connections),
    Case("row query", _written(q__json='{"amount": 12.5, "type": "CASH_OUT", "when": null}'), _row_query),
    Case("parquet", _parquet, _read_parquet),
    Case("npy", _npy_files, read_corpus("v.npy", "f.npy")),
    Case("npy rows", _npy_files, _npy, targets="rows.npy"),
    Case("npz", _npz_files, read_corpus("v.npz", "v.npz?key=matrix&labels=ids", "w.npz?key=a")),
    Case("ids", _ids_files, read_corpus("v.npy?ids=ids.txt&labels=labels.txt"), targets="*.txt"),
    Case("fvecs", _fvecs, read_corpus("v.fvecs")),
    Case("idx", _idx, read_corpus("", "?split=test", "train-images-idx3-ubyte")),
    Case("text folder", _text_folder, read_corpus("", "?encoding=utf-16", "?part=a", "?queries-part=b", "?encoding=idna")),
    Case("pictures", _picture_folder, read_corpus("?size=4x4&grey=true", "?size=4x4")),
    Case("picture query", _picture_folder, _picture_query),
    Case("sounds", _sound_folder, read_corpus("", "?rate=4000", "?pattern={digit}_{speaker}_{take}&label=speaker")),
    Case("sound query", _sound_folder, _sound_query),
    *(Case(kind, _archives(kind), read_corpus(f"texts.{kind}", f"pictures.{kind}?size=3x3", *(["more.zip"] if kind == "zip" else []))) for kind in ("tar", "tar.gz", "tar.xz", "zip")),
    Case("beir", _beir, read_corpus("", "?split=test&label=year")),
    Case("beir zip", _beir_zip, _read_beir_zip),
    Case("ratings", _ratings, _read_ratings),
    Case("movielens", _movielens, _read_movielens),
    Case("movielens zip", _movielens_zip, _unpack_movielens, targets="ml.zip"),
    Case("cifar10", _cifar, _read_cifar),
    Case("newsgroups", _newsgroups, _read_newsgroups),
    Case("cranfield", _cranfield, _read_cranfield),
    Case("run", _written(r__txt=_RUN, r__gz=gzip.compress(_RUN.encode(), mtime=0)), _read("read_run")),
    Case("qrels", _written(q__txt=_QRELS, q__tsv=_QRELS_TSV), _read("read_qrels")),
]  # fmt: skip
