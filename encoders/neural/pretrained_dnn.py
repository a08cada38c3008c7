"""A deep network with unsupervised pretraining."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.batches import partly_labelled
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError, NotInvertibleError
from encoders.neural.corruption import CORRUPTIONS
from encoders.neural.layers import Layer, forward, from_state, softmax, to_state
from encoders.neural.perceptron import PerceptronAutoencoder
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass
class PretrainedDNN(PerceptronAutoencoder):
    """Deep network pretrained layer by layer without labels, then fine-tuned as a classifier.

    Use it when some items have labels and many have none, and you want a classifier and its space.

    Items without a label are used in the pretraining. The code is the last hidden layer; `classify` returns labels.
    ``pretrain=none`` starts from random weights.

    Examples
    --------
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = PretrainedDNN((16, 4), epochs=20, batch_size=16).fit(rows, (rows[:, 0] > 0.5).astype(int))
    >>> encoder.encode(rows).shape, encoder.classes
    ((64, 4), ['0', '1'])

    References
    ----------
    Bengio, Lamblin, Popovici & Larochelle, Greedy layer-wise training of deep networks, NIPS 2006; Vincent et al.,
    Stacked denoising autoencoders, JMLR 11, 2010, section 6.
    """

    name: ClassVar[str] = "pretrained-dnn"
    sizes: tuple[int, ...] = option((1000, 1000, 500), "Widths of the hidden layers; the last one is the code.", ge=1)
    drop: float = option(0.2, "Dropout rate of each hidden layer in fine-tuning.", ge=0, lt=1)
    pretrain: str = option(
        "layerwise",
        "Layer-by-layer pretraining: by autoencoders (layerwise) or by restricted Boltzmann machines (rbm).",
        choices=("none", "layerwise", "rbm"),
        kw_only=True,
    )
    corruption: str = option(
        "masking",
        "Noise added to the input in pretraining; each layer learns to remove it.",
        choices=CORRUPTIONS,
        kw_only=True,
    )

    @property
    def reads_labels(self) -> bool:
        """True: the layers are fine-tuned on labels."""
        return True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.head: list[Layer] = []
        #: The labels, in the order of `class_probabilities`.
        self.classes: list[str] = []

    def _sizes(self) -> tuple[int, ...]:
        return self.sizes

    @property
    def _code_activation(self) -> str:
        return self.activation

    def _encoder(self, width: int) -> Any:
        from encoders.neural.networks import mlp

        return mlp((width, *self.sizes, 1), self.activation, self.norm)[:-1]

    def _learn(self, batches: Batches, work: Path | None) -> Space:
        import torch

        from encoders.neural.training_rows import LabelledRows, Rows

        matrix, labels = partly_labelled(batches)
        known = np.array([number for number, label in enumerate(labels) if label is not None], dtype=np.int64)
        self.classes = sorted({label for label in labels if label is not None})
        if len(self.classes) < 2:
            raise BadItemError(
                f"pretrained-dnn learns from labels of at least 2 classes, found {len(self.classes)}: "
                "use a corpus with labels, or deep-ae, which needs none"
            )
        rows, network = self._prepare(matrix, work)
        class_of = {label: number for number, label in enumerate(self.classes)}
        targets = np.array([class_of[label] for label in labels if label is not None], dtype=np.int64)
        labelled = LabelledRows(rows if len(known) == len(labels) else Rows(rows.matrix[known]), targets)
        torch.manual_seed(self.seed)  # the output layer does not depend on the pretraining
        head = torch.nn.Linear(self.sizes[-1], len(self.classes))
        whole = torch.nn.ModuleDict({"encoder": network["encoder"], "head": head})
        self._train(whole, self._classification(), labelled, work, self._augment_labelled())
        self._store(whole)
        return Space(self.sizes[-1], Kind.DENSE, Metric(self.metric if self.metric != "auto" else "cosine"))

    def _warn_of_a_wide_code(self, width: int) -> None:
        """Do nothing: wide hidden layers are usual, and with labels they do not copy the input."""

    def _classification(self) -> Any:
        from torch.nn import functional

        from encoders.neural.networks import blocks

        def objective(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            hidden, classes = batch
            hidden = functional.dropout(hidden, self.dropout, network.training)
            for layer in blocks(network["encoder"]):  # type: ignore[index]
                hidden = functional.dropout(layer(hidden), self.drop, network.training)
            return functional.cross_entropy(network["head"](hidden).float(), classes)  # type: ignore[index]

        return objective

    def _augment_labelled(self) -> Any:
        move = self._augment()
        return None if move is None else lambda batch, generator: (move(batch[0], generator), batch[1])

    def _store(self, network: Any) -> None:
        from encoders.neural.networks import folded

        self.encoder = folded(network["encoder"])
        self.head = folded([network["head"]])

    def _decode(self, codes: Codes) -> Items:
        raise NotInvertibleError("'pretrained-dnn' codes cannot be turned back into items: it is trained to classify")

    def class_probabilities(self, items: Items) -> NDArray[np.float32]:
        """Return the probability of each of `classes` for each item (n, classes)."""
        return softmax(forward(self.head, self.encode(items)))

    def classify(self, items: Items) -> list[str]:
        """Return the likeliest label of each item."""
        return [self.classes[number] for number in self.class_probabilities(items).argmax(axis=1)]

    def learnt_shape(self) -> dict[str, Any]:
        """Return spaces, history and the names of the classes."""
        return {**super().learnt_shape(), "classes": self.classes}

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned."""
        super().restore_shape(value)
        self.classes = [str(name) for name in value["classes"]]

    def state(self) -> State:
        """Return the hidden layers and the output layer."""
        return {**to_state("encoder", self.encoder), **to_state("head", self.head)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.encoder = from_state("encoder", state, [self.activation] * len(self.sizes))
        self.head = from_state("head", state, ["linear"])
