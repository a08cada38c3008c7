"""Collapse: players whose game is over, although no loss says so; the training stops with the last good weights."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from encoders.torch_device import moved

if TYPE_CHECKING:
    from torch import Tensor, nn

    from encoders.neural.players import Game
    from encoders.neural.training import Examples
    from encoders.neural.training_config import History

#: Number of held-out rows that are checked for a collapse.
ROWS = 1024


class Collapse(ArithmeticError):
    """The training collapsed in its first epoch."""


def collapse_reason(network: nn.Module, game: Game, rows: Examples, held_out: Tensor, epoch: int, device: str) -> str:
    """Return why the training has collapsed, or an empty string; raise if it is the first epoch."""
    import torch

    if game.collapsed is None:
        return ""
    network.eval()
    with torch.no_grad():
        reason = game.collapsed(network, moved(rows.take(held_out[:ROWS]), device))
    if reason and epoch == 0:
        raise Collapse(reason)
    return reason


def warn_of_collapse(name: str, history: History) -> None:
    """Warn that the training stopped, and say which weights are kept."""
    warnings.warn(
        f"{name} stopped after epoch {len(history.seconds)}: {history.collapsed}; "
        f"the weights of epoch {history.best_epoch + 1} are kept",
        stacklevel=2,
    )
