"""What was found: the sentences at the head of docs/results.md, each written from the figures of the last runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from report_measured import (
    auto,
    classifier,
    cleaning,
    figures,
    hashing,
    mnist,
    mnist_rival,
    news,
    news_rival,
    text,
)

#: The corpora of judged texts.
TEXTS = ("cranfield", "cisi", "npl", "scifact")


def findings() -> list[str]:
    """Return one line a finding; one whose figures were not measured is left out."""
    return list(_written(FINDINGS))


def _written(sentences: tuple[Callable[[], str], ...]) -> Iterator[str]:
    for sentence in sentences:
        try:
            yield sentence()
        except (KeyError, TypeError, IndexError, ValueError, StopIteration):
            continue


def _share(value: float) -> str:
    return f"{value:.3f}".lstrip("0")


def digits() -> str:
    return (
        f"**Pictures of digits.** 30 numbers of a deep autoencoder retrieve better than all 784 pixels: P@10 "
        f"{_share(mnist('P@10'))} against {_share(mnist_rival('pixels', 'P@10'))}; 30 principal components reach "
        f"{_share(mnist_rival('pixels+pca:30', 'P@10'))}. Its squared error is {mnist('test_error'):.2f} a picture, "
        f"that of the components {mnist_rival('pixels+pca:30', 'test_error'):.2f}."
    )


def two_numbers() -> str:
    return (
        f"**Two numbers for a map.** The nearest neighbours of a digit name it in "
        f"{_share(auto('deep, wide, ten minutes', 2, 'accuracy'))} of cases in the autoencoder's plane, in "
        f"{_share(auto('pca', 2, 'accuracy'))} in that of two principal components."
    )


def words() -> str:
    lexical, neural = ([text(corpus, spec) for corpus in TEXTS] for spec in ("bm25", _sentence_spec()))
    pairs = [f"{_share(a)} and {_share(b)} ({corpus})" for corpus, a, b in zip(TEXTS, lexical, neural, strict=True)]
    wins = sum(a > b for a, b in zip(lexical, neural, strict=True))
    return (
        f"**Judged texts.** nDCG@10 of BM25 and of sentence embeddings (MiniLM): {', '.join(pairs)}. BM25 is better on "
        f"{wins} of {len(TEXTS)}: compare them on your own corpus."
    )


def _sentence_spec() -> str:
    return next(spec for spec in figures("text_retrieval")["corpora"][TEXTS[0]]["spaces"] if spec.startswith("sbert"))


def lsa() -> str:
    few, many = (text("scifact", f"tfidf+lsa:{width}") for width in (128, 1000))
    cranfield = figures("text_retrieval")["corpora"]["cranfield"]["spaces"]
    best = max(cranfield, key=lambda spec: cranfield[spec]["nDCG@10"])
    return (
        f"**LSA.** On SciFact it needs many numbers (nDCG@10 {_share(few)} with 128, {_share(many)} with 1,000). The "
        f"best space of all on Cranfield is `{best}` ({_share(cranfield[best]['nDCG@10'])})."
    )


def news_codes() -> str:
    return (
        f"**Short codes of texts.** From the same 2,000 words, 10 numbers of a deep autoencoder find the same "
        f"newsgroup better than 10 of LSA (P@10 {_share(news('10'))} against "
        f"{_share(news_rival(10, 'tfidf:2000,stop=english'))}); with 128 numbers, LSA of all words is better "
        f"({_share(news('128'))} against {_share(news_rival(128, 'tfidf:stop=english'))})."
    )


def bits() -> str:
    return (
        f"**Bits.** 256 learnt bits of CIFAR-10's pixels (32 bytes) are better than the pixels (12,288 bytes): P@100 "
        f"{_share(hashing('256 bits'))} against {_share(hashing('pixels'))}; bits of patches learnt by k-means reach "
        f"{_share(hashing('patches, 256 bits'))}."
    )


def few_labels() -> str:
    few = 1 - classifier(1000, "layer by layer") / classifier(1000, "random")
    everything = [100 * classifier(60_000, start) for start in ("layer by layer", "random")]
    return (
        f"**Learning without labels first.** It saves {few:.0%} of a classifier's errors with 1,000 labels; with all "
        f"60,000 the error is {everything[0]:.2f} %, against {everything[1]:.2f} % from random weights."
    )


def noise() -> str:
    gain = cleaning("mnist", "denoising-ae") - figures("denoising_mnist")["before"]
    return f"**Noise.** A denoising autoencoder raises the PSNR of noisy digits by {gain:.1f} dB."


def fused() -> str:
    found = figures("hybrid")["scifact"]
    return (
        f"**Fusion.** BM25 and LSA fused gain {_share(found['gain'])} nDCG@10 over BM25 on SciFact, with a weight "
        "chosen on the training queries."
    )


def fine_tuned() -> str:
    rows = figures("tsdae")["corpora"]
    pairs = ", ".join(
        f"{_share(rows[corpus]['start']['nDCG@10'])} to {_share(rows[corpus]['tsdae']['nDCG@10'])} on {corpus}"
        for corpus in ("cranfield", "npl")
    )
    return f"**TSDAE.** Fine-tuning MiniLM on a small corpus makes it worse: nDCG@10 goes from {pairs}."


def two_aims() -> str:
    methods = ("U-Net", "deep, tied")
    (low, best), (high, other) = [(auto(method, 30, "test_error"), auto(method, 30, "P@10")) for method in methods]
    return (
        f"**Good reconstruction is not good retrieval.** With 30 numbers of MNIST, the U-Net has an error of {low:.2f} "
        f"(details pass beside the code) and a P@10 of {_share(best)}; a tied deep autoencoder has {high:.2f} and "
        f"{_share(other)}."
    )


FINDINGS = (digits, two_aims, two_numbers, words, lsa, news_codes, bits, few_labels, noise, fused, fine_tuned)
