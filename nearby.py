"""The Python interface of nearby: the names that a program needs, each imported at its first use.

``import nearby`` loads nothing heavy. docs/python.md shows examples.

Examples
--------
>>> import nearby
>>> corpus = nearby.open_corpus("digits")
>>> encoder = nearby.create("pixels+pca:16").fit(corpus.batches())
>>> encoder.space.dim
16
>>> nearby.compare(corpus, ["pixels", "pixels+pca:2"], examples=0).n_queries
1797
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from encoders.artifact import load_encoder
    from encoders.base import Encoder
    from encoders.codes import Space
    from encoders.errors import NearbyError
    from encoders.registry import create
    from encoders.row import Row
    from encoders.sound import Sound
    from indexers.base import Hit, Index
    from indexers.registry import create_index, load_index
    from retrieval.applications.anomaly.comparison import compare_detectors
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.applications.compression.compress import compress
    from retrieval.applications.compression.compress_lossless import compress_lossless
    from retrieval.applications.compression.compressed_items import CompressedItems
    from retrieval.applications.compression.decompress import decompress
    from retrieval.applications.compression.target import CompressionTarget
    from retrieval.collection.base import Collection
    from retrieval.collection.indexing import index_corpus
    from retrieval.collection.open import open_collection
    from retrieval.collection.open import open_data as open_corpus
    from retrieval.corpora.base import Corpus, Item
    from retrieval.evaluation.evaluate import evaluate_run as evaluate
    from retrieval.evaluation.trec import read_qrels, read_run, write_qrels, write_run
    from retrieval.experiment.baseline_file import read_baseline
    from retrieval.experiment.compare_options import CompareOptions
    from retrieval.experiment.tuning.tuning import tune
    from retrieval.report.comparison_file import write_comparison
    from retrieval.report.html.comparison import write_page as write_report
    from retrieval.report.notebook import Comparison, compare, compare_collection
    from retrieval.search.read_query import read_query
    from retrieval.search.searcher import Searcher
    from retrieval.spaces.train import train_encoder as train

#: name -> where it is defined
_NAMES = {
    "AnomalyDetector": "retrieval.applications.anomaly.detector:AnomalyDetector",
    "Collection": "retrieval.collection.base:Collection",
    "CompareOptions": "retrieval.experiment.compare_options:CompareOptions",
    "Comparison": "retrieval.report.notebook:Comparison",
    "CompressedItems": "retrieval.applications.compression.compressed_items:CompressedItems",
    "CompressionTarget": "retrieval.applications.compression.target:CompressionTarget",
    "Corpus": "retrieval.corpora.base:Corpus",
    "Encoder": "encoders.base:Encoder",
    "Hit": "indexers.base:Hit",
    "Index": "indexers.base:Index",
    "Item": "retrieval.corpora.base:Item",
    "NearbyError": "encoders.errors:NearbyError",
    "Row": "encoders.row:Row",
    "Searcher": "retrieval.search.searcher:Searcher",
    "Sound": "encoders.sound:Sound",
    "Space": "encoders.codes:Space",
    "compare": "retrieval.report.notebook:compare",
    "compare_collection": "retrieval.report.notebook:compare_collection",
    "compare_detectors": "retrieval.applications.anomaly.comparison:compare_detectors",
    "compress": "retrieval.applications.compression.compress:compress",
    "compress_lossless": "retrieval.applications.compression.compress_lossless:compress_lossless",
    "create": "encoders.registry:create",
    "create_index": "indexers.registry:create_index",
    "decompress": "retrieval.applications.compression.decompress:decompress",
    "evaluate": "retrieval.evaluation.evaluate:evaluate_run",
    "index_corpus": "retrieval.collection.indexing:index_corpus",
    "load_encoder": "encoders.artifact:load_encoder",
    "load_index": "indexers.registry:load_index",
    "open_collection": "retrieval.collection.open:open_collection",
    "open_corpus": "retrieval.collection.open:open_data",
    "read_baseline": "retrieval.experiment.baseline_file:read_baseline",
    "read_qrels": "retrieval.evaluation.trec:read_qrels",
    "read_query": "retrieval.search.read_query:read_query",
    "read_run": "retrieval.evaluation.trec:read_run",
    "train": "retrieval.spaces.train:train_encoder",
    "tune": "retrieval.experiment.tuning.tuning:tune",
    "write_comparison": "retrieval.report.comparison_file:write_comparison",
    "write_qrels": "retrieval.evaluation.trec:write_qrels",
    "write_report": "retrieval.report.html.comparison:write_page",
    "write_run": "retrieval.evaluation.trec:write_run",
}

__all__ = [
    "AnomalyDetector",
    "Collection",
    "CompareOptions",
    "Comparison",
    "CompressedItems",
    "CompressionTarget",
    "Corpus",
    "Encoder",
    "Hit",
    "Index",
    "Item",
    "NearbyError",
    "Row",
    "Searcher",
    "Sound",
    "Space",
    "compare",
    "compare_collection",
    "compare_detectors",
    "compress",
    "compress_lossless",
    "create",
    "create_index",
    "decompress",
    "evaluate",
    "index_corpus",
    "load_encoder",
    "load_index",
    "open_collection",
    "open_corpus",
    "read_baseline",
    "read_qrels",
    "read_query",
    "read_run",
    "train",
    "tune",
    "write_comparison",
    "write_qrels",
    "write_report",
    "write_run",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'nearby' has no attribute '{name}'")
    module, _, attribute = _NAMES[name].partition(":")
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
