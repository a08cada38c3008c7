"""Deep InfoMax: codes that maximise a bound of their mutual information with the items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from encoders.base import State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError, OptionError
from encoders.neural.encoder import MAIN, NeuralEncoder
from encoders.neural.mutual_information import ESTIMATORS, split_pairs
from encoders.neural.players import Game, Player
from encoders.neural.reconstruction_loss import scaled
from encoders.neural.torch_encoding import in_pieces, load_state, state_of
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

#: The layers that can be the code, from the input to the end.
LAYERS = ("conv", "hidden", "code")
#: Codes have collapsed if the standard deviation of every component is below this.
SAME = 1e-4


@dataclass
class DeepInfoMax(NeuralEncoder):
    """Codes from which a discriminator network recognises their items (Deep InfoMax).

    Use it when codes should separate items rather than reconstruct them; codes cannot be decoded.

    Discriminator and encoder minimise the same loss. Its terms compare the code with positions of the picture's feature
    map (`local-weight`) and with the whole map (`global-weight`). With `prior-weight` above 0, the components of a code
    are in [0, 1], and a second discriminator, trained against the encoder, pulls them towards a uniform distribution.
    The code and the feature map come from two random views of the item: crops, mirror images and colours of a picture;
    vectors with different components set to 0.

    Pictures (after ``pixels``) pass through a convolutional network, other items through two hidden layers. `layer`
    selects the output: the last convolution, the hidden layer, or the code.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> DeepInfoMax(3, hidden=16, epochs=2, batch_size=16).fit(rows).encode(rows).shape
    (64, 3)

    References
    ----------
    Hjelm et al., Learning deep representations by mutual information estimation and maximization, ICLR 2019; Bachman,
    Hjelm & Buchwalter, Learning representations by maximizing mutual information across views, NeurIPS 2019 (two
    views).
    """

    name: ClassVar[str] = "deep-infomax"
    answers_without_torch: ClassVar[bool] = False
    n_components: int = option(64, "Number of components of the code.", ge=1, le=16_384)
    channels: tuple[int, ...] = option((64, 128, 256), "Channels of each convolution, for pictures.", ge=1, le=4096)
    hidden: int = option(1024, "Width of the hidden layer.", ge=1, le=16_384)
    layer: str = option("code", "Layer that is the output.", choices=LAYERS)
    estimator: str = option("infonce", "Loss of the discriminator.", choices=tuple(ESTIMATORS))
    local_weight: float = option(1.0, "Weight of the loss on positions of the feature map.", ge=0)
    global_weight: float = option(0.0, "Weight of the loss on the whole feature map.", ge=0)
    prior_weight: float = option(0.0, "Weight of the loss that makes the codes uniformly distributed.", ge=0)
    positions: int = option(16, "Random positions of the feature map that a step compares.", ge=1)
    comparison_width: int = option(256, "Width of the vectors that the discriminator compares.", ge=1, le=16_384)
    crop: float = option(0.3, "Smallest share of a picture that a view shows; 1: no crops.", gt=0, le=1)
    flip: bool = option(True, "Mirror half of the views, left to right.")
    colour: float = option(0.4, "Largest relative change of brightness, contrast and saturation in a view.", ge=0, lt=1)
    masked: float = option(0.3, "Share of the components of a vector that a view sets to 0.", ge=0, lt=1)
    metric: str = option("cosine", "Metric of the codes.", choices=("cosine", "euclidean"), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.local_weight == self.global_weight == 0:
            raise OptionError("deep-infomax: local-weight and global-weight are both 0: raise one of them")

    # -- training ---------------------------------------------------------------------------------------------

    def _learn(self, batches: Batches, work: Path | None) -> Space:
        import torch

        from encoders.neural.training_rows import Rows, require_moderate

        rows = Rows(self._scaled(collect(batches)))
        require_moderate(self.name, rows)
        if len(rows) < 2:
            raise BadItemError(f"{self.name} learns to distinguish items and needs at least 2; got {len(rows)}")
        torch.manual_seed(self.seed)
        network = self._network(rows.width)
        self._train(network, self._game(network), rows, work)
        self._trained = network["encoder"].eval()  # type: ignore[index]
        return Space(self._size(), Kind.DENSE, Metric(self.metric))

    def _network(self, width: int) -> nn.Module:
        """Return the encoder and its discriminators, with their first weights."""
        import torch

        from encoders.neural.infomax_networks import Discriminator, PriorDiscriminator

        encoder = self._encoder(width)
        parts: dict[str, nn.Module] = {"encoder": encoder}
        if self.local_weight:
            parts["local"] = Discriminator(self.n_components, encoder.local_width, self.comparison_width)
        if self.global_weight:
            parts["global"] = Discriminator(self.n_components, encoder.numbers, self.comparison_width)
        if self.prior_weight:
            parts["prior"] = PriorDiscriminator(self.n_components)
        return torch.nn.ModuleDict(parts)

    def _encoder(self, width: int) -> Any:
        from encoders.neural.infomax_networks import PictureEncoder, RowEncoder

        shape = self.input_space.shape if self.input_space is not None else None
        if shape is None:
            return RowEncoder(width, self.hidden, self.n_components)
        least = 2 ** len(self.channels)
        if min(shape[:2]) < least:
            raise OptionError(
                f"{self.name}: {len(self.channels)} convolutions with stride 2 need pictures of at least "
                f"{least}x{least}, these are {shape[1]}x{shape[0]}: take fewer channels, or scale with pixels:size="
            )
        return PictureEncoder(shape, self.channels, self.hidden, self.n_components)

    def _game(self, network: nn.Module) -> Game:
        """Return the players: the encoder with the discriminators of pairs, and the discriminator of codes."""
        modules = tuple(name for name, _ in network.named_children() if name != "prior")
        players = [Player(MAIN, self._objective(), modules)]
        if self.prior_weight:
            players.append(Player("prior discriminator", self._opponent, ("prior",)))
        return Game(players, self._collapsed)

    def _objective(self) -> Any:
        def objective(network: Any, batch: Tensor) -> Tensor:
            # held-out batches are larger, which would make the matched pair harder to find
            parts = [part for part in batch.split(self.batch_size) if len(part) > 1]  # type: ignore[no-untyped-call]
            if not parts:  # a single row has no mismatched pair
                return batch.new_zeros(())
            total: Tensor = sum(self._pair_loss(network, part) * len(part) for part in parts)  # type: ignore[assignment]
            return total / sum(map(len, parts))

        return objective

    def _pair_loss(self, network: Any, rows: Tensor) -> Tensor:
        """Return the weighted loss of two views of rows: the code of each view with the layers of the other."""
        first, second = (self._layers(network, rows) for _ in range(2))
        estimate = ESTIMATORS[self.estimator]
        total: Any = 0.0
        for one, other in ((first, second), (second, first)):
            code = self._bounded(one.code)
            if self.local_weight:
                local = self._some(other.positions)
                total = total + self.local_weight / 2 * estimate(*split_pairs(network["local"](code, local)))
            if self.global_weight:
                whole = other.conv.unsqueeze(1)
                total = total + self.global_weight / 2 * estimate(*split_pairs(network["global"](code, whole)))
            if self.prior_weight and network.training:
                total = total + self.prior_weight / 2 * network["prior"].deceived(code)
        loss: Tensor = total
        return loss

    def _some(self, features: Tensor) -> Tensor:
        """Return up to `positions` random positions of features (n, positions, channels), the same for all pictures."""
        import torch

        if features.shape[1] <= self.positions:
            return features
        return features[:, torch.randperm(features.shape[1])[: self.positions]]

    def _opponent(self, network: Any, rows: Tensor) -> Tensor:
        """Return the loss of the discriminator of codes."""
        import torch

        with torch.no_grad():
            code = self._bounded(self._layers(network, rows).code)
        loss: Tensor = network["prior"].loss(code)
        return loss

    def _layers(self, network: Any, rows: Tensor) -> Any:
        """Return the layers of one random view of rows."""
        encoder = network["encoder"]
        return encoder(self._view(encoder.pictures(rows)))

    def _view(self, items: Tensor) -> Tensor:
        from encoders.neural.augmentation import MaskedViews, PictureViews

        if items.ndim == 2:
            return MaskedViews(self.masked)(items)
        return PictureViews(self.crop, self.flip, self.colour)(items)

    def _bounded(self, code: Tensor) -> Tensor:
        """Return the code, mapped to [0, 1] if there is a prior."""
        return code.float().sigmoid() if self.prior_weight else code

    def _collapsed(self, network: Any, rows: Tensor) -> str:
        encoder = network["encoder"]
        code = self._bounded(encoder(encoder.pictures(rows)).code).float()
        spread = float(code.std(dim=0).max()) if len(code) > 1 else 1.0
        if spread >= SAME:
            return ""
        return f"its codes are the same for all items (largest standard deviation {spread:.1g})"

    # -- answering --------------------------------------------------------------------------------------------

    def features(self, items: Items, layer: str) -> Codes:
        """Return the output of one layer for items (n, width).

        Parameters
        ----------
        items : array or csr_array (n, dim)
        layer : str
            ``conv``, ``hidden`` or ``code``.
        """
        encoder = self._trained

        def answer(rows: Tensor) -> Tensor:
            layers = encoder(encoder.pictures(rows))
            features: Tensor = self._bounded(layers.code) if layer == "code" else getattr(layers, layer)
            return features

        codes: Codes = in_pieces(encoder, self._scaled(items), answer, self.device)
        return codes

    def _encode(self, items: Any) -> Codes:
        return self.features(items, self.layer)

    def _size(self) -> int:
        sizes: dict[str, int] = {"conv": self._trained.numbers, "hidden": self.hidden, "code": self.n_components}
        return sizes[self.layer]

    def _scaled(self, items: Any) -> Codes:
        return scaled(items)

    def state(self) -> State:
        """Return the arrays of the encoder; the discriminators are used in training only."""
        return state_of(self._trained)

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._trained = self._encoder(self.input_dim or 0)
        load_state(self._trained, state)
        self._trained.eval()
