"""Encoders in sequence, which are an encoder again: ``tfidf+lsa:128``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from encoders.base import Encoder, State
from encoders.batches import Encoded
from encoders.codes import Batches, Codes, Items, Modality, Space
from encoders.errors import SpecError
from encoders.named import Named


@dataclass
class Pipeline(Encoder):
    """A sequence of encoders (stages): the first reads items, each other stage the codes of the stage before it.

    Examples
    --------
    >>> import numpy as np
    >>> from encoders.registry import create
    >>> pictures = np.arange(48, dtype=np.uint8).reshape(6, 2, 4)
    >>> create("pixels+pca:1").fit(pictures).encode(pictures).shape
    (6, 1)

    References
    ----------
    scikit-learn's ``Pipeline``: Buitinck et al., API design for machine learning software, 2013, §3.2.
    """

    name: ClassVar[str] = "pipeline"
    stages: tuple[Encoder, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reads: Modality = self.stages[0].reads  # type: ignore[misc]
        self.answers_without_torch: bool = all(stage.answers_without_torch for stage in self.stages)  # type: ignore[misc]
        self.is_slow: bool = any(stage.is_slow for stage in self.stages)  # type: ignore[misc]
        self.answers_texts: bool = self.stages[0].answers_texts  # type: ignore[misc]
        self.has_prior: bool = self.stages[-1].has_prior  # type: ignore[misc]
        for before, stage in zip(self.stages, self.stages[1:], strict=False):
            if stage.reads is not Modality.VECTOR:
                raise SpecError(f"'{stage.name}' reads {stage.reads}s, so it cannot come after '{before.name}'")
            if before.gives_bits:
                raise SpecError(f"'{before.name}' gives packed bits, which '{stage.name}' cannot read: put it last")
        learning = [stage for stage in self.stages if stage.reads_labels]
        for first, other in pairwise(learning):  # `fit` gets one label of each item, which all stages share
            if first.label_field != other.label_field:
                raise SpecError(
                    f"'{first.name}' learns from {_named(first.label_field)}, '{other.name}' from "
                    f"{_named(other.label_field)}: let both learn from the same, or leave one out"
                )

    @property
    def parts(self) -> tuple[Encoder, ...]:
        """The stages."""
        return self.stages

    @property
    def reads_labels(self) -> bool:
        """Whether any stage learns from labels."""
        return any(stage.reads_labels for stage in self.stages)

    @property
    def label_field(self) -> str | None:
        """The field from which stages learn; None: the label."""
        return next((stage.label_field for stage in self.stages if stage.reads_labels), None)

    def require_learnable(self, labels: Sequence[str | None]) -> None:
        """Raise, before any fit, for labels from which a stage could not learn."""
        for stage in self.stages:
            stage.require_learnable(labels)

    def require_known(self, item_ids: Sequence[str], queries: Sequence[Named]) -> None:
        """Raise for items and queries that the first stage could not encode."""
        self.stages[0].require_known(item_ids, queries)

    def remarks(self) -> list[str]:
        """Return the remarks of all stages."""
        return [remark for stage in self.stages for remark in stage.remarks()]

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        for number, stage in enumerate(self.stages):
            stage.input_space = self.stages[number - 1].space if number else None
            stage.fit(batches, work=None if work is None else work / f"{number}-{stage.name}")
            batches = Encoded(batches, stage.encode)
        return self.stages[-1].space

    def _encode(self, items: Any) -> Codes:
        for stage in self.stages:
            items = stage.encode(items)
        return items

    def _encode_queries(self, items: Any) -> Codes:
        for stage in self.stages:
            items = stage.encode_queries(items)
        return items

    def _decode(self, codes: Codes) -> Items:
        return decode_through(self.stages, codes)

    def _reconstruct(self, items: Any) -> Items:
        last, rows = self.up_to_last(items)
        return decode_through(self.stages[:-1], last.reconstruct(rows))

    def state(self) -> State:
        """Return the arrays of every stage, with its number as prefix."""
        return {
            f"{number}.{key}": value for number, stage in enumerate(self.stages) for key, value in stage.state().items()
        }

    def restore(self, state: State) -> None:
        """Restore the arrays of every stage."""
        for number, stage in enumerate(self.stages):
            prefix = f"{number}."
            stage.restore({key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)})

    def learnt_shape(self) -> dict[str, Any]:
        """Return the spaces of the pipeline and of every stage."""
        return {**super().learnt_shape(), "stages": [stage.learnt_shape() for stage in self.stages]}

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore the spaces of every stage."""
        super().restore_shape(value)
        for stage, learnt in zip(self.stages, value["stages"], strict=True):
            stage.restore_shape(learnt)

    @property
    def vocabulary(self) -> list[str] | None:
        """The words of the first stage, if it has any."""
        return self.stages[0].vocabulary

    @vocabulary.setter
    def vocabulary(self, words: list[str]) -> None:
        self.stages[0].vocabulary = words

    def spec(self, full: bool = False) -> str:
        """Return the specs of the stages, joined by ``+``."""
        return "+".join(stage.spec(full) for stage in self.stages)


def _named(field: str | None) -> str:
    return "the label" if field is None else f"the field '{field}'"


def decode_through(stages: Sequence[Encoder], codes: Codes) -> Items:
    """Decode codes through consecutive stages of a pipeline, the last stage first.

    Raises
    ------
    NotInvertibleError
        When a stage cannot decode.
    """
    items: Any = codes
    for stage in reversed(stages):
        items = stage.decode(items)
    return items
