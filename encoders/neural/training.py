"""The training loop of all networks: AdamW, one-cycle schedule, validation, early stopping, checkpoints, bf16."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from encoders.cpu_count import available_cores
from encoders.errors import BadItemError, TrainingError
from encoders.neural.checkpoint import read_checkpoint, take_weights, weights_of, write_checkpoint
from encoders.neural.collapse import Collapse, collapse_reason, warn_of_collapse
from encoders.neural.players import Game, Loss, Player, as_game
from encoders.neural.training_config import RESUMABLE_SETTINGS, History, TrainingConfig
from encoders.progress import progress
from encoders.torch_device import autocast, device_of, moved, on_device, place, training_type

if TYPE_CHECKING:
    from torch import Tensor, nn

Augment = Callable[[Any, Any], Any]
#: Steps of the progress bar: finer than an epoch, coarser than its redrawing.
TICKS = 1000
#: A validation loss above this multiple of the initial loss means that the training has diverged.
DIVERGED = 1000


class Examples(Protocol):
    """Training examples, read in mini-batches: rows, labelled rows or texts."""

    def __len__(self) -> int: ...

    def take(self, positions: Tensor) -> Any:
        """Return the examples at `positions` in the form that the loss reads."""

    def digest(self) -> str:
        """Return a digest of the examples."""


#: Called with the history when training begins and after every epoch.
Watch = Callable[[History], None]


def train(
    network: nn.Module,
    loss: Loss | Game,
    rows: Examples,
    config: TrainingConfig,
    work: Path | None = None,
    augment: Augment | None = None,
    method: str = "",
    watch: Watch | None = None,
    accept_new_settings: bool = False,
) -> History:
    """Train a network in place; afterwards it has its best weights and is in evaluation mode.

    Parameters
    ----------
    network : torch.nn.Module
    loss : callable or Game
        ``loss(network, batch)`` -> mean loss of a mini-batch (scalar tensor); or a game, whose players each have a
        loss and train their modules of the network in turn on every mini-batch.
    rows : Examples
    config : TrainingConfig
    work : Path, optional
        Folder of the checkpoint, written after every epoch. A killed run resumes from it and ends with the same
        weights as an uninterrupted one. The caller removes the folder.
    augment : callable, optional
        ``augment(batch, generator)`` -> batch; in training only.
    method : str
        The full spec of the encoder; a checkpoint with another spec or other rows is ignored.
    watch : callable, optional
        Called with the history when training begins and after every epoch; it replaces the progress bar.
    accept_new_settings : bool
        Resume from a checkpoint even if `RESUMABLE_SETTINGS` have changed.

    Returns
    -------
    History

    Raises
    ------
    BadItemError
        When there are fewer than two training rows.
    TrainingError
        When the loss diverges, a mini-batch does not fit into memory, or a game collapses in the first epoch; the
        checkpoint of the last good epoch stays.

    References
    ----------
    Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019 (AdamW); Smith & Topin, Super-convergence,
    2018 (one cycle).
    """
    import torch

    torch.set_num_threads(available_cores())
    device = device_of(method.partition(":")[0] or "training", config.device)
    training, held_out = split(len(rows), config)
    if len(training) < 2:  # batch normalisation needs two
        beside = f" beside the {len(held_out)} held out" if len(rows) > 1 else ""
        name = method.partition(":")[0] or "training"
        raise BadItemError(f"{name} learns from at least 2 items{beside}; got {len(training)}")
    place(network, device)
    game = as_game(loss)
    groups = [
        {"params": player.parameters(network), "rate": player.rate, "betas": (player.momentum, 0.999)}
        for player in game.players
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    precision = MixedPrecision(device, training_type(config.precision, device))
    history, best = History(), _copied(network)
    identity = {} if work is None else {**asdict(config), "method": method, "rows": rows.digest()}
    resumed = read_checkpoint(
        work, network, optimizer, history, identity, RESUMABLE_SETTINGS if accept_new_settings else ()
    )
    if resumed is not None:
        best = resumed
    started = time.perf_counter() - sum(history.seconds)
    budget = math.inf if config.minutes is None else 60 * config.minutes

    def clock() -> float:
        return (time.perf_counter() - started) / budget

    if watch is not None:
        watch(history)
    name, done_before = method.partition(",")[0] or "a network", len(history.seconds)
    text = f"training {name}" + (f" from epoch {done_before + 1}" if done_before else "")

    def over() -> bool:
        return clock() >= 1 or len(history.seconds) - history.best_epoch > config.patience > 0

    if accept_new_settings:
        history.ended = over()
    initial_loss = history.validation_loss[0] if history.validation_loss else None
    with progress(text, TICKS, shown=watch is None) as bar:

        def pace(epochs: float) -> float:
            """Return the completed share of the training, by epochs or by time, and show it."""
            done = max(epochs / config.epochs, clock())
            bar.update(max(0, int(min(1.0, done) * TICKS) - bar.done))
            return done

        for epoch in range(len(history.seconds), config.epochs):
            if history.ended:
                break
            begun = time.perf_counter()
            with _explained(config, epoch, work):
                if initial_loss is None:
                    initial_loss = _measure(network, game, rows, held_out, config, precision)
                means = _epoch(network, game, rows, training, config, epoch, optimizer, augment, pace, precision)
                history.add_losses({player.name: mean for player, mean in zip(game.players, means, strict=True)})
                history.validation_loss.append(_measure(network, game, rows, held_out, config, precision))
                _require_not_diverged(history.validation_loss[-1], initial_loss)
                with on_device(device):
                    history.collapsed = collapse_reason(network, game, rows, held_out, epoch, device)
            history.seconds.append(time.perf_counter() - begun)
            lowest = history.validation_loss[-1] <= min(history.validation_loss)
            if not history.collapsed and (lowest or not game.keeps_best):
                history.best_epoch, best = epoch, _copied(network)
            history.ended = bool(history.collapsed) or over()
            write_checkpoint(work, network, optimizer, history, best, identity)
            last = history.train_loss[-1], history.validation_loss[-1]
            bar.note = f"epoch {epoch + 1}, training {last[0]:.4g}, validation {last[1]:.4g}"
            if watch is not None:
                watch(history)
    if history.collapsed:
        warn_of_collapse(name, history)
    take_weights(network, best)
    place(network, "cpu")
    network.eval()
    return history


class MixedPrecision:
    """Mixed precision of a training: its device, the number format of matrix products, the scale of gradients.

    Gradients in fp16 (`scaler`) are multiplied lest small ones become 0; in other formats nothing is scaled.
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


@contextmanager
def _explained(config: TrainingConfig, epoch: int, work: Path | None) -> Iterator[None]:
    """Turn the failure of an epoch into an error that says what to do and which epochs are saved."""
    kept = f"; the checkpoint of the first {epoch} epochs is in {work}" if work is not None and epoch else ""
    else_large = "" if epoch else "; if that does not help, reduce the scale of the input, the noise or the penalties"
    try:
        yield
    except FloatingPointError as diverged:
        raise TrainingError(
            f"the loss {diverged} in epoch {epoch + 1}: lower the learning rate (it is {config.learning_rate:g})"
            f"{kept}{else_large}"
        ) from None
    except Collapse as collapse:
        raise TrainingError(f"the training stopped in its first epoch: {collapse}") from None
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"a batch of {config.batch_size:,} does not fit into memory in epoch {epoch + 1}: lower batch-size{kept}"
        ) from error


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether torch raised this error because an allocation failed."""
    return "alloc" in str(error)


def _epoch(
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


def _measure(
    network: nn.Module, game: Game, rows: Examples, held_out: Tensor, config: TrainingConfig, precision: MixedPrecision
) -> float:
    import torch

    network.eval()
    torch.manual_seed(config.seed)  # the noise of a loss is the same in every epoch
    total = 0.0
    with torch.no_grad(), precision.autocast():
        for part in held_out.split(4 * config.batch_size):  # type: ignore[no-untyped-call]
            batch = moved(rows.take(part), precision.device)
            total += float(game.players[0].loss(network, batch).float()) * len(part)
    return total / max(1, len(held_out))


def _require_not_diverged(loss: float, initial_loss: float) -> None:
    """Raise when the validation loss has diverged."""
    if not math.isfinite(loss):
        raise FloatingPointError("is no longer a number")
    if loss > DIVERGED * max(1.0, initial_loss):
        raise FloatingPointError(f"is more than {DIVERGED:,} times its initial value")


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


def split(count: int, config: TrainingConfig) -> tuple[Tensor, Tensor]:
    """Return positions of training and validation rows; if none are held out, validation uses training rows."""
    import torch

    order = torch.randperm(count, generator=torch.Generator().manual_seed(config.seed))
    held_out = round(count * config.validation)
    if held_out == 0:
        return order, order[: min(count, 2048)]
    return order[held_out:], order[:held_out]


def _copied(network: nn.Module) -> dict[str, Any]:
    return {key: value.detach().clone() for key, value in weights_of(network).items()}
