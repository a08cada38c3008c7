"""Networks that are trained against each other, on one loop: who moves which weights, by which loss, how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["nn.Module", Any], "Tensor"]
#: ``collapsed(network, batch)`` -> why the training is worth nothing any more, or an empty string.
Collapsed = Callable[["nn.Module", Any], str]


@dataclass(frozen=True)
class Player:
    """One of several networks that are trained in turn on every mini-batch.

    Attributes
    ----------
    name : str
        What its loss is called in the history.
    loss : callable
        ``loss(network, batch)`` -> mean loss of a mini-batch (scalar tensor).
    modules : tuple of str
        The parts of the network that it trains, by their names; empty: all.
    steps : int
        Updates on every mini-batch.
    rate : float
        Its learning rate, as a multiple of the one of the training.
    """

    name: str
    loss: Loss
    modules: tuple[str, ...] = ()
    steps: int = 1
    rate: float = 1.0

    def parameters(self, network: nn.Module) -> list[Any]:
        """Return the parameters that it trains.

        Raises
        ------
        ValueError
            When the network has no part of such a name.
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
    """Players, and when their game is over.

    Attributes
    ----------
    players : sequence of Player
        In the order of their updates; the loss of the first is measured on the rows held out.
    collapsed : callable, optional
        Asked after every epoch on rows held out; the training stops there with the last good weights.
    keeps_best : bool
        Whether the epoch of the lowest held-out loss is kept; the last good one otherwise: the loss of a generator says
        nothing about its samples.
    """

    players: Sequence[Player]
    collapsed: Collapsed | None = None
    keeps_best: bool = True


def as_game(loss: Loss | Game) -> Game:
    """Return a game; a loss alone is a game of one player who trains everything."""
    return loss if isinstance(loss, Game) else Game((Player("training", loss),))
