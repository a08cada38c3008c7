"""Every classical encoder as a retrieval space, on pictures and texts: what `nearby compare` finds.

Run: ``NEARBY_DATA=... python benchmarks/classical.py [mnist orl-faces 20newsgroups cranfield]``
"""

from __future__ import annotations

import sys
from typing import Any

from record import latest, record, say

from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare

PICTURES = """
pca:30 pca:30,whiten=true random-projection:30 select:50 select:50,criterion=laplacian
select:50,criterion=reconstruction
select:50,criterion=chi2 select:50,criterion=mutual-information ica:30 nmf:49 sparse-coding:100 linear-ae:30 kmeans:256
kmeans:256,codes=distances kmeans:256,codes=triangle hac:256 pca:30+gaussian pca:30+kernel-density
pca:30+nearest-density pca:30+mixture:30 pca:30+mixture:30,codes=responsibilities
""".split()
#: 400 faces: fewer of everything.
FACES = [
    spec.replace("256", "40").replace(":100", ":60").replace("mixture:30", "mixture:10,covariance=diag")
    for spec in PICTURES
]
WORDS = "tfidf:10000,stop=english,stem=english"
TEXTS = """
lsa:128 random-projection:128 select:2000 select:2000,criterion=mutual-information nmf:128 kmeans:128
kmeans:128,codes=triangle lsa:128+ica:128 lsa:128+sparse-coding:256,alpha=0.05 lsa:128+linear-ae:64 lsa:128+hac:128
lsa:128+gaussian lsa:128+mixture:20,covariance=diag,codes=responsibilities
""".split()
#: Judged documents have no labels to select by.
JUDGED = [spec for spec in TEXTS if "mutual" not in spec]
#: What needs a matrix of all pairs of words, or of all pairs of items, on the small corpus only.
JUDGED += """
pca:128 select:500,criterion=laplacian select:500,criterion=reconstruction lsa:128+kernel-density
lsa:128+nearest-density lsa:128+mixture:20,covariance=diag
""".split()
CORPORA = {
    "mnist": ["pixels", *(f"pixels+{spec}" for spec in PICTURES)],
    "orl-faces": ["pixels:46x56", *(f"pixels:46x56+{spec}" for spec in FACES)],
    "20newsgroups": [WORDS, *(f"{WORDS}+{spec}" for spec in TEXTS)],
    "cranfield": [WORDS.replace("10000,", ""), *(f"{WORDS.replace('10000,', '')}+{spec}" for spec in JUDGED)],
}


def main(*names: str) -> None:
    """Measure the named corpora (all by default); the others keep their last figures."""
    before = latest("classical")
    figures: dict[str, Any] = {} if before is None else before["figures"]
    for name in names or CORPORA:
        corpus = open_corpus(name)
        rows, found = [], None
        for spec in CORPORA[name]:
            found = compare(corpus, [spec], examples=0)
            one = found.spaces[0]
            rows.append(
                {
                    "spec": spec,
                    "dim": one.dim,
                    "bytes": one.bytes_per_item,
                    "fit_seconds": one.fit_seconds,
                    "encode_per_second": one.encode_per_second,
                    "query_ms": one.query_ms,
                    **one.measures,
                }
            )
            say(name, rows[-1])
        figures[name] = {"items": found.n_items, "queries": found.n_queries, "rows": rows} if found else {}
        record("classical", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
