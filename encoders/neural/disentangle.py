"""Disentanglement: a code of two parts, one for the content of an item and one for a known nuisance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.batches import partly_labelled
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, n_rows, whole_number
from encoders.errors import BadItemError, NotInvertibleError, OptionError
from encoders.neural.disentangle_loss import DisentangleLoss
from encoders.neural.disentangle_networks import NORMALIZATIONS, SAVED
from encoders.neural.encoder import NeuralEncoder
from encoders.neural.reconstruction_loss import OUTPUTS, ReconstructionLoss, chosen
from encoders.neural.torch_encoding import in_pieces, load_state, state_of
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

#: The parts of the code that can be the output.
PARTS = ("content", "nuisance", "both")


@dataclass
class Disentangle(NeuralEncoder):
    """A code of two parts: the content of an item, and a nuisance such as its speaker, writer or domain.

    Use it when a property that you know (who speaks, which camera) hides the one that you search for.

    The nuisance of every item is known in training: the field that `nuisance` names, or the label. Queries need none.
    An adversary learns to tell the nuisance from the content part, and the encoder of the content learns to prevent it:
    the two are trained in turn (``adversary=alternating``), or by one loss whose gradient is reversed (``reversal``).
    The decoder reconstructs an item from its content and the nuisance part of ANOTHER item with the same nuisance, so
    that this part contains nothing else. `bottleneck` adds noise to the content part, and limits what it contains.

    `part` selects the output: ``content``, ``nuisance`` or ``both``, which can be decoded. `convert` gives an item the
    nuisance of others.

    Examples
    --------
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = Disentangle(3, hidden=16, epochs=2, batch_size=16, nuisance_components=2)
    >>> encoder.fit(rows, ["a", "b"] * 32).encode(rows).shape
    (64, 3)
    >>> encoder.convert(rows[:5], like=rows[1:2]).shape
    (5, 8)

    References
    ----------
    Chou, Yeh, Lee & Lee, Multi-target voice conversion without parallel data by adversarially learning disentangled
    audio representations, Interspeech 2018; Chou, Yeh & Lee, One-shot voice conversion by separating speaker and
    content representations with instance normalization, Interspeech 2019; Ganin & Lempitsky, Unsupervised domain
    adaptation by backpropagation, ICML 2015 (``reversal``).
    """

    name: ClassVar[str] = "disentangle"
    reads_sparse: ClassVar[bool] = False
    answers_without_torch: ClassVar[bool] = False
    n_components: int = option(32, "Number of components of the content part.", ge=1, le=16_384)
    nuisance_components: int = option(16, "Number of components of the nuisance part.", ge=1, le=16_384)
    nuisance: str = option("label", "Field of the items that is the nuisance; label: their label.")
    part: str = option("content", "Part of the code that is the output; both: it can be decoded.", choices=PARTS)
    adversary: str = option("alternating", "How the adversary is trained.", choices=("alternating", "reversal", "none"))
    adversary_weight: float = option(3.0, "Weight of the adversary in the loss of the content.", ge=0)
    adversary_steps: int = option(3, "Updates of the adversary per mini-batch, if it alternates.", ge=1, le=16)
    nuisance_weight: float = option(1.0, "Weight of the classifier that reads the nuisance part.", ge=0)
    bottleneck: float = option(0.3, "Weight of the information in the content part; 0: no noise is added.", ge=0)
    normalize: str = option(
        "none",
        "Normalisation within each picture, in the encoder of the content: of feature maps, or also of rows (bands).",
        choices=NORMALIZATIONS,
    )
    channels: tuple[int, ...] = option((32, 64, 128), "Channels of each convolution, for pictures.", ge=1, le=4096)
    hidden: int = option(512, "Width of the hidden layers.", ge=1, le=16_384)
    learning_rate: float = option(1e-3, "Largest learning rate of the one-cycle schedule.", gt=0, kw_only=True)
    metric: str = option("cosine", "Metric of the codes.", choices=("cosine", "euclidean"), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        #: The values of the nuisance in training.
        self.classes: list[str] = []

    @property
    def reads_labels(self) -> bool:
        """True: the nuisance of every training item is known."""
        return True

    @property
    def label_field(self) -> str | None:
        """The field of the items from which `fit` reads the nuisance; None: their label."""
        return None if self.nuisance == "label" else self.nuisance

    @property
    def loss_unit(self) -> str:
        """The unit of the loss."""
        return f"{self._output.unit}, with the terms of the classifiers"

    # -- training ---------------------------------------------------------------------------------------------

    def _learn(self, batches: Batches, work: Path | None) -> Space:
        import torch

        from encoders.neural.training_rows import LabelledRows, Rows, require_moderate

        matrix, labels = partly_labelled(batches)
        self.classes = self._checked_classes(labels)
        rows = Rows(matrix)
        require_moderate(self.name, rows)
        self._output: ReconstructionLoss = chosen(self.name, "squared", "auto", rows)
        number_of = {value: number for number, value in enumerate(self.classes)}
        numbers = np.array([number_of[str(label)] for label in labels], dtype=np.int64)
        torch.manual_seed(self.seed)
        network: Any = self._network(rows)
        self._train(network, self._loss().game(), LabelledRows(rows, numbers), work)
        self._trained = torch.nn.ModuleDict({name: network[name] for name in SAVED}).eval()
        return Space(self._size(), Kind.DENSE, Metric(self.metric))

    def require_learnable(self, labels: Sequence[str | None]) -> None:
        """Raise when an item has no nuisance, when all have the same, or when each has its own."""
        if labels:
            self._checked_classes(labels)

    def _checked_classes(self, labels: Sequence[str | None]) -> list[str]:
        """Return the values of the nuisance.

        Raises
        ------
        BadItemError
            When an item has none, when all have the same, or when each has its own.
        """
        what = "a label" if self.label_field is None else f"the field '{self.label_field}'"
        missing = sum(label is None for label in labels)
        if missing:
            raise BadItemError(
                f"{self.name} learns from the nuisance of every item, but {missing:,} of {len(labels):,} items do not "
                f"have {what}: name the field with nuisance=FIELD, or leave these items out"
            )
        classes = sorted({str(label) for label in labels})
        if len(classes) < 2:
            raise BadItemError(
                f"{self.name} separates items by {what}, which is '{classes[0]}' for all of them: "
                "there is nothing to separate"
            )
        if len(classes) == len(labels):
            raise BadItemError(
                f"{self.name} needs several items with the same value of {what}, but each of the {len(labels):,} items "
                "has its own"
            )
        return classes

    def _network(self, rows: Any) -> nn.Module:
        import torch

        from encoders.neural.disentangle_networks import classifier

        network = self._saved_network(rows.width)
        with torch.no_grad():
            network["decoder"][-1].bias.copy_(torch.from_numpy(self._output.start(rows)))
        network["reader"] = classifier(self.nuisance_components, self.hidden, len(self.classes))
        network["adversary"] = classifier(self.n_components, self.hidden, len(self.classes))
        whole: nn.Module = network
        return whole

    def _saved_network(self, width: int) -> Any:
        """Return the encoders of both parts and the decoder, with their first weights."""
        import torch

        from encoders.neural.disentangle_networks import ItemEncoder, decoder, require_room

        shape = self.input_space.shape if self.input_space is not None else None
        if shape is None and self.normalize != "none":
            raise OptionError(
                f"{self.name}: normalize={self.normalize} normalises pictures and spectrograms, but the input has no "
                "shape: put pixels or log-mel before it"
            )
        require_room(self.name, shape, self.channels, self.normalize)

        def encoder(k: int, normalize: str) -> Any:
            return ItemEncoder(width, shape, self.channels, self.hidden, k, normalize)

        return torch.nn.ModuleDict({
            "content": encoder(self.n_components, self.normalize),
            "nuisance": encoder(self.nuisance_components, "none"),
            "decoder": decoder(self.n_components + self.nuisance_components, self.hidden, width),
        })  # fmt: skip

    def _loss(self) -> DisentangleLoss:
        return DisentangleLoss(
            self._output, len(self.classes), self.adversary, self.adversary_weight, self.adversary_steps,
            self.nuisance_weight, self.bottleneck,
        )  # fmt: skip

    # -- answering --------------------------------------------------------------------------------------------

    def _size(self) -> int:
        sizes = {"content": self.n_components, "nuisance": self.nuisance_components}
        return sizes.get(self.part, sum(sizes.values()))

    def part_of(self, items: Items, part: str) -> Codes:
        """Return one part of the codes of items, float32 (n, width of the part).

        Parameters
        ----------
        items : array (n, dim)
        part : str
            ``content``, ``nuisance`` or ``both``.
        """
        import torch

        names = SAVED[:2] if part == "both" else (part,)
        network: Any = self._trained

        def answer(rows: Tensor) -> Tensor:
            return torch.cat([network[name](rows) for name in names], dim=1)

        codes: Codes = in_pieces(network, items, answer, self.device)
        return codes

    def _encode(self, items: Any) -> Codes:
        return self.part_of(items, self.part)

    def _decode(self, codes: Codes) -> Items:
        if self.part != "both":
            raise NotInvertibleError(
                f"'{self.name}' decodes both parts of a code together: fit it with part=both, or reconstruct the item"
            )
        return self._decoded(codes)

    def _decoded(self, codes: Codes) -> Items:
        decoder = self._trained["decoder"]
        return in_pieces(decoder, codes, lambda part: self._output.output_of(decoder(part)), self.device)

    def _reconstruct(self, items: Any) -> Items:
        return self._decoded(self.part_of(items, "both"))

    def convert(self, items: Items, like: Items) -> NDArray[np.float32]:
        """Return items with their own content and the nuisance of others.

        Parameters
        ----------
        items : array (n, dim)
        like : array (m, dim)
            Items with the wanted nuisance; the mean of their nuisance parts is taken.

        Returns
        -------
        numpy.ndarray float32 (n, dim)
        """
        _ = self.space
        if not n_rows(like):
            raise BadItemError(f"{self.name} converts items to the nuisance of others: got no item that has it")
        content = self.part_of(self.checked(items), "content")
        wanted = self.part_of(self.checked(like), "nuisance").mean(axis=0, keepdims=True)
        codes: Any = np.concatenate([content, np.repeat(wanted, len(content), axis=0)], axis=1)
        return np.asarray(self._decoded(codes))

    def learnt_shape(self) -> dict[str, Any]:
        """Return spaces, history and the values of the nuisance."""
        return {**super().learnt_shape(), "classes": self.classes}

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned."""
        super().restore_shape(value)
        self.classes = [str(name) for name in value["classes"]]

    def state(self) -> State:
        """Return the arrays of both encoders and the decoder; the classifiers are used in training only."""
        output = np.asarray([OUTPUTS.index(self._output.output)], dtype=np.int64)
        return {"output": output, **state_of(self._trained)}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._output = ReconstructionLoss("squared", OUTPUTS[whole_number(int(state["output"][0]), len(OUTPUTS) - 1)])
        self._trained = self._saved_network(self.input_dim or 0)
        load_state(self._trained, state)
        self._trained.eval()
