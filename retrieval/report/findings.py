"""The results of an analysis, each in one sentence."""

from __future__ import annotations

import math

from encoders.numbers import counted
from retrieval.analysis.result import Analysis

#: How well clusters agree with labels; the first measure decides which clusters agree best.
AGREEMENT = ("NMI", "ARI", "purity", "accuracy")


def answer(analysis: Analysis) -> str:
    """Return the main result: how many clusters the items have, beside the number of their labels."""
    if analysis.counts is None:
        spaces = f"{counted(len(analysis.spaces), 'space')} of {analysis.corpus}"
        return f"{spaces}: {', '.join(_parts(analysis))}." if _parts(analysis) else f"{spaces}."
    labels = len({label for label in analysis.labels if label is not None})
    truth = f"; the items have {counted(labels, 'different label')}" if labels else ""
    return f"{analysis.counts.answer[0]} clusters are recommended{truth}."


def _parts(analysis: Analysis) -> list[str]:
    """Return what was found, in words, in the order of the page."""
    spaces = analysis.spaces
    parts = {
        "components": any(space.components for space in spaces),
        "items as sums": any(space.sums for space in spaces),
        "error by width": bool(analysis.lost),
        "clusters": any(space.quality for space in spaces),
        "maps": any(space.maps for space in spaces),
        "posteriors": any(space.posterior for space in spaces),
        "clusters beside codes": analysis.local is not None,
        "how well codes identify their items": any(space.discriminator for space in spaces),
    }
    return [name for name, is_there in parts.items() if is_there]


def findings(analysis: Analysis) -> list[str]:
    """Return the reason of the main result, and the results of the other parts, one sentence each."""
    reason = "" if analysis.counts is None else analysis.counts.answer[1]
    sentences = [reason[:1].upper() + reason[1:]]
    sentences += [_quality(analysis), dimension_title(analysis), _local(analysis), _discriminator(analysis)]
    sentences += [f"{space.spec}: {space.posterior.answer}" for space in analysis.spaces if space.posterior]
    return [f"{sentence}." for sentence in sentences if sentence]


def _quality(analysis: Analysis) -> str:
    measure = AGREEMENT[0]
    every = [
        (values[measure], method, space.spec) for space in analysis.spaces for method, values in space.quality.items()
    ]
    if not every:
        return ""
    value, method, spec = max(every, key=lambda entry: entry[0])
    how = "" if method == "as it is" else f" ({method})"
    return f"The clusters of {spec}{how} agree best with the labels: {measure} {value:.3f}"


def dimension_title(analysis: Analysis) -> str:
    """Return which method loses least variance at the widest code; "" where none was measured."""
    known = {name: values[-1] for name, values in analysis.lost.items() if math.isfinite(values[-1])}
    if not known:
        return ""
    best = min(known, key=known.__getitem__)
    return f"With {analysis.widths[-1]} numbers, {best} loses least: {known[best]:.1%} of the variance"


def _discriminator(analysis: Analysis) -> str:
    known = [(space.discriminator.loss, space.spec) for space in analysis.spaces if space.discriminator is not None]
    if len(known) < 2:
        return ""
    loss, spec = min(known)
    return f"The codes of {spec} identify their items best: a discriminator reaches a loss of {loss:.3f} (chance 0.693)"


def _local(analysis: Analysis) -> str:
    local = analysis.local
    if local is None or not local.precision:
        return ""
    code, cluster = local.precision["code"], local.precision["cluster"]
    return (
        f"The code of {analysis.local_space} reaches P@10 {code:.3f}; the number of one of {local.k} clusters "
        f"reaches {cluster:.3f}"
    )
