"""Players and games: networks that are trained in turn, each with its own loss, modules and number of updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["nn.Module", Any], "Tensor"]
#: ``collapsed(network, batch)`` -> why the training has collapsed, or an empty string.
Collapsed = Callable[["nn.Module", Any], str]


@dataclass(frozen=True)
class Player:
    """One of several networks that are trained in turn on every mini-batch.

    Attributes
    ----------
    name : str
        Name of its loss in the history.
    loss : callable
        ``loss(network, batch)`` -> mean loss of a mini-batch (scalar tensor).
    modules : tuple of str
        Names of the modules of the network that it trains; empty: all.
    steps : int
        Number of updates per mini-batch.
    rate : float
        Factor of its learning rate.
    momentum : float
        Decay of the mean gradient in its updates (beta 1 of AdamW); adversaries use a small one.
    inputs : callable, optional
        ``inputs(network, batch)`` -> what its loss reads instead of the batch. It is computed without gradients, once
        per mini-batch, before its updates: what they have in common. It must not depend on the modules it trains.
    """

    name: str
    loss: Loss
    modules: tuple[str, ...] = ()
    steps: int = 1
    rate: float = 1.0
    momentum: float = 0.9
    inputs: Callable[[nn.Module, Any], Any] | None = None

    def parameters(self, network: nn.Module) -> list[Any]:
        """Return the parameters that it trains.

        Raises
        ------
        ValueError
            When the network has no module with such a name.
        """
        if not self.modules:
            return list(network.parameters())
        known = dict(network.named_children())
        absent = [name for name in self.modules if name not in known]
        if absent:
            raise ValueError(f"the player {self.name} trains {', '.join(absent)}, which the network does not have")
        return [parameter for name in self.modules for parameter in known[name].parameters()]


@dataclass(frozen=True)
class Game:
    """Players that are trained together, and the check that stops their training.

    Attributes
    ----------
    players : sequence of Player
        In the order of their updates; the loss of the first is measured on the held-out rows.
    collapsed : callable, optional
        Called after every epoch on held-out rows; a reason stops the training, which keeps the last good weights.
    after_batch : callable, optional
        ``after_batch(network)`` is called after the updates of every mini-batch, for example to average weights.
    keeps_best : bool
        Whether the epoch with the lowest held-out loss is kept, or the last good one: the loss of a generator does
        not measure the quality of its samples.
    """

    players: Sequence[Player]
    collapsed: Collapsed | None = None
    after_batch: Callable[[nn.Module], None] | None = None
    keeps_best: bool = True


def as_game(loss: Loss | Game) -> Game:
    """Return a game; a single loss becomes a game with one player that trains all modules."""
    return loss if isinstance(loss, Game) else Game((Player("training", loss),))
