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
from encoders.neural.epoch import MixedPrecision, run_epoch, validation_loss
from encoders.neural.players import Game, Loss, as_game
from encoders.neural.training_config import RESUMABLE_SETTINGS, History, TrainingConfig
from encoders.progress import progress
from encoders.torch_device import device_of, on_device, place, training_type

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
                    initial_loss = validation_loss(network, game, rows, held_out, config, precision)
                means = run_epoch(network, game, rows, training, config, epoch, optimizer, augment, pace, precision)
                history.add_losses({player.name: mean for player, mean in zip(game.players, means, strict=True)})
                history.validation_loss.append(validation_loss(network, game, rows, held_out, config, precision))
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


def _require_not_diverged(loss: float, initial_loss: float) -> None:
    """Raise when the validation loss has diverged."""
    if not math.isfinite(loss):
        raise FloatingPointError("is no longer a number")
    if loss > DIVERGED * max(1.0, initial_loss):
        raise FloatingPointError(f"is more than {DIVERGED:,} times its initial value")


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
