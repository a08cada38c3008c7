"""Whether an encoder learns from the labels that judge it, or from another field of the items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from encoders.base import Encoder

#: Reads the label and the metadata of every item.
ReadLabels = Callable[[], Iterable[tuple[str | None, Mapping[str, str]]]]


def learns_labels(encoder: Encoder, read: ReadLabels) -> bool:
    """Return whether the fit learns from the labels of the items, or from a field that says them.

    A space of digits whose nuisance is the speaker does not: neither the speaker says the digit, nor the digit the
    speaker. A field says the labels if each of its values has one label, or each label one value.

    Parameters
    ----------
    encoder : Encoder
    read : callable
        Called only if the encoder learns from a field.

    Examples
    --------
    >>> from encoders.registry import create
    >>> encoder = create("vectors+disentangle:4,nuisance=speaker")
    >>> learns_labels(encoder, lambda: [("7", {"speaker": "a"}), ("7", {"speaker": "b"}), ("8", {"speaker": "a"})])
    False
    >>> learns_labels(encoder, lambda: [("7", {"speaker": "a"}), ("8", {"speaker": "b"}), ("8", {"speaker": "c"})])
    True
    """
    field = encoder.label_field
    if not encoder.reads_labels or field is None:
        return encoder.reads_labels
    pairs = {(fields.get(field), label) for label, fields in read()}
    values, labels = ({pair[side] for pair in pairs} for side in (0, 1))
    return len(pairs) in (len(values), len(labels))
