"""One epoch of the training loop: its mini-batches, the learning rate of each, and the validation after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from encoders.neural.players import Game, Player
from encoders.neural.training_config import TrainingConfig
from encoders.torch_device import autocast, moved, on_device

if TYPE_CHECKING:
    from torch import Tensor, nn

    from encoders.neural.training import Augment, Examples


class MixedPrecision:
    """Mixed precision of a training: its device, the number format of matrix products, the scale of gradients.

    Gradients in fp16 (`scaler`) are multiplied so that small ones do not become 0; in other formats nothing is scaled.
    """

    def __init__(self, device: str, kind: Any) -> None:
        import torch

        self.device, self._kind = device, kind
        self.scaler = torch.amp.GradScaler(device, enabled=kind is torch.float16)

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Compute losses: on the device, in the number format."""
        with on_device(self.device), autocast(self._kind, self.device):
            yield


def run_epoch(
    network: nn.Module,
    game: Game,
    rows: Examples,
    training: Tensor,
    config: TrainingConfig,
    epoch: int,
    optimizer: Any,
    augment: Augment | None,
    pace: Callable[[float], float],
    precision: MixedPrecision,
) -> list[float]:
    """Return the mean loss of each player over the mini-batches of one epoch."""
    import torch

    network.train()
    # one generator per epoch: an epoch is the same whether or not the run was interrupted before it
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + epoch)
    torch.manual_seed(config.seed * 1_000_003 + epoch)
    order = training[torch.randperm(len(training), generator=generator)]
    steps = max(1, math.ceil(len(order) / config.batch_size))
    totals = torch.zeros(len(game.players), device=precision.device)
    for step in range(steps):
        positions = order[step * config.batch_size : (step + 1) * config.batch_size]
        if len(positions) < 2 and steps > 1:
            continue  # batch normalisation cannot learn from one row
        done = pace(epoch + step / steps)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * group["rate"] * one_cycle(done, config.warm_up)
        batch = rows.take(positions)
        if augment is not None:
            batch = augment(batch, generator)
        batch = moved(batch, precision.device)
        for turn, player in enumerate(game.players):
            read = _inputs(network, player, batch, precision)
            for _ in range(player.steps):
                value = _update(network, game, turn, read, optimizer, precision)
                totals[turn] += value * (len(positions) / len(order) / player.steps)
        if game.after_batch is not None:
            game.after_batch(network)
    means: list[float] = totals.tolist()
    if not all(map(math.isfinite, means)):
        raise FloatingPointError("is no longer a number")
    return means


def _inputs(network: nn.Module, player: Player, batch: Any, precision: MixedPrecision) -> Any:
    """Return what the updates of a player read: the batch, or what they compute of it, once for all of them."""
    import torch

    if player.inputs is None:
        return batch
    with torch.no_grad(), precision.autocast():
        return player.inputs(network, batch)


def _update(network: nn.Module, game: Game, turn: int, batch: Any, optimizer: Any, precision: MixedPrecision) -> Tensor:
    """Make one update of one player; the weights of the other players have no gradient and do not change.

    All players share one optimizer, with one parameter group each: it skips parameters without a gradient.
    """
    optimizer.zero_grad(set_to_none=True)
    with precision.autocast():
        value = game.players[turn].loss(network, batch)
    alone = len(game.players) == 1
    scaled = precision.scaler.scale(value)
    scaled.backward(inputs=None if alone else optimizer.param_groups[turn]["params"])  # type: ignore[no-untyped-call]
    precision.scaler.step(optimizer)
    precision.scaler.update()
    return value.detach().float()


def validation_loss(
    network: nn.Module, game: Game, rows: Examples, held_out: Tensor, config: TrainingConfig, precision: MixedPrecision
) -> float:
    """Return the mean loss of the first player on the rows that are held out."""
    import torch

    network.eval()
    torch.manual_seed(config.seed)  # the noise of a loss is the same in every epoch
    total = 0.0
    with torch.no_grad(), precision.autocast():
        for part in held_out.split(4 * config.batch_size):  # type: ignore[no-untyped-call]
            batch = moved(rows.take(part), precision.device)
            total += float(game.players[0].loss(network, batch).float()) * len(part)
    return total / max(1, len(held_out))


def one_cycle(done: float, warm_up: float) -> float:
    """Return the factor of the learning rate: it rises linearly during `warm_up`, then falls to 0 as a cosine.

    Examples
    --------
    >>> [round(one_cycle(done, 0.2), 2) for done in (0.1, 0.2, 0.6, 1.0)]
    [0.52, 1.0, 0.5, 0.0]
    """
    if done < warm_up:
        return 0.04 + 0.96 * done / warm_up
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (done - warm_up) / (1 - warm_up))))
