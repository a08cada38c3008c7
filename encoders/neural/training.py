"""The ONE training loop: AdamW, one cycle, validation, early stopping, checkpoints, bf16 where it pays."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from encoders.cpu_count import available_cores
from encoders.errors import BadItemError, TrainingError
from encoders.neural.checkpoint import read_checkpoint, take_weights, weights_of, write_checkpoint
from encoders.neural.players import Game, Loss, as_game
from encoders.neural.training_config import RESUMABLE_SETTINGS, History, TrainingConfig
from encoders.progress import progress

if TYPE_CHECKING:
    from torch import Tensor, nn

Augment = Callable[[Any, Any], Any]
#: Parts of the progress bar: finer than an epoch, coarser than its own redrawing.
TICKS = 1000
#: Rows held out on which a collapse is looked for.
LOOKED_AT = 1024
#: A loss that is so many times that of the first weights does not come back.
EXPLODED = 1000


class Examples(Protocol):
    """What is learnt from, a mini-batch at a time: rows, labelled rows, texts."""

    def __len__(self) -> int: ...

    def take(self, places: Tensor) -> Any:
        """Return the examples at `places` as the loss reads them."""

    def digest(self) -> str:
        """Return the identity of the examples."""


#: Told the history when training begins and after every epoch.
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
    """Train a network in place and leave it with its best weights, in evaluation mode.

    Parameters
    ----------
    network : torch.nn.Module
    loss : callable or Game
        ``loss(network, batch)`` -> mean loss of a mini-batch (scalar tensor); or players, each with a loss of its own,
        who train their parts of the network in turn on every mini-batch.
    rows : Examples
    config : TrainingConfig
    work : Path, optional
        Where a checkpoint is written after every epoch; a run that was killed goes on from it, and ends with the same
        weights as one that was not. It stays when the run has ended: whoever gave the folder removes it.
    augment : callable, optional
        ``augment(batch, generator)`` -> batch, in training only.
    method : str
        All options of the method; a checkpoint of other options or other rows is left aside.
    watch : callable, optional
        Told the history when training begins and after every epoch; who watches shows the progress.
    accept_new_settings : bool
        Go on from a checkpoint even if what `RESUMABLE_SETTINGS` names was otherwise there.

    Returns
    -------
    History

    Raises
    ------
    BadItemError
        When there are not two rows to learn from.
    TrainingError
        When the loss is no longer a number, a mini-batch does not fit into memory, or players collapse in the first
        epoch; the checkpoint of the last good epoch stays.

    References
    ----------
    Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019 (AdamW); Smith & Topin, Super-convergence,
    2018 (one cycle).
    """
    import torch

    torch.set_num_threads(available_cores())
    training, held_out = split(len(rows), config)
    if len(training) < 2:  # what batch normalisation needs
        beside = f" beside the {len(held_out)} held out" if len(rows) > 1 else ""
        name = method.partition(":")[0] or "training"
        raise BadItemError(f"{name} learns from at least 2 items{beside}; got {len(training)}")
    game = as_game(loss)
    groups = [{"params": player.parameters(network), "rate": player.rate} for player in game.players]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
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
    told = f"training {name}" + (f" from epoch {done_before + 1}" if done_before else "")

    def over() -> bool:
        return clock() >= 1 or len(history.seconds) - history.best_epoch > config.patience > 0

    if accept_new_settings:
        history.ended = over()
    at_first = history.validation_loss[0] if history.validation_loss else None
    with progress(told, TICKS, shown=watch is None) as bar:

        def pace(epochs: float) -> float:
            """Return the share of the training that is done, by epochs or by the clock, and show it."""
            done = max(epochs / config.epochs, clock())
            bar.update(max(0, int(min(1.0, done) * TICKS) - bar.done))
            return done

        for epoch in range(len(history.seconds), config.epochs):
            if history.ended:
                break
            begun = time.perf_counter()
            with _explained(config, epoch, work):
                if at_first is None:
                    at_first = _measure(network, game, rows, held_out, config)
                means = _epoch(network, game, rows, training, config, epoch, optimizer, augment, pace)
                history.add_losses({player.name: mean for player, mean in zip(game.players, means, strict=True)})
                history.validation_loss.append(_measure(network, game, rows, held_out, config))
                _require_sane(history.validation_loss[-1], at_first)
                history.collapsed = _collapse(network, game, rows, held_out, epoch)
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
    network.eval()
    return history


@contextmanager
def _explained(config: TrainingConfig, epoch: int, work: Path | None) -> Iterator[None]:
    """Say what to do when an epoch fails, and that the epochs before it are kept."""
    kept = f"; the {epoch} epochs before it are kept in {work}" if work is not None and epoch else ""
    else_large = "" if epoch else "; should that not help, the input's numbers, noise or a penalty are too large"
    try:
        yield
    except FloatingPointError as diverged:
        raise TrainingError(
            f"the loss {diverged} in epoch {epoch + 1}: lower the learning rate (it is {config.learning_rate:g})"
            f"{kept}{else_large}"
        ) from None
    except Collapse as over:
        raise TrainingError(f"the training stopped in its first epoch: {over}") from None
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"a batch of {config.batch_size:,} does not fit into memory in epoch {epoch + 1}: lower batch-size{kept}"
        ) from error


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether it is what torch raises when an allocation fails."""
    return "alloc" in str(error)


def _collapse(network: nn.Module, game: Game, rows: Examples, held_out: Tensor, epoch: int) -> str:
    """Return why the players' game is over, or an empty string; raise where no good epoch came before."""
    import torch

    if game.collapsed is None:
        return ""
    network.eval()
    with torch.no_grad():
        reason = game.collapsed(network, rows.take(held_out[:LOOKED_AT]))
    if reason and epoch == 0:
        raise Collapse(reason)
    return reason


class Collapse(ArithmeticError):
    """The players' game is over before anything was learnt."""


def warn_of_collapse(name: str, history: History) -> None:
    """Say that the training stopped, and which weights are kept."""
    warnings.warn(
        f"{name} stopped after epoch {len(history.seconds)}: {history.collapsed}; "
        f"the weights of epoch {history.best_epoch + 1} are kept",
        stacklevel=2,
    )


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
) -> list[float]:
    """Return the mean loss of each player over the mini-batches of one epoch."""
    import torch

    network.train()
    # one generator an epoch, so that an epoch is the same whether or not the run was interrupted before it
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + epoch)
    torch.manual_seed(config.seed * 1_000_003 + epoch)
    order = training[torch.randperm(len(training), generator=generator)]
    steps = max(1, math.ceil(len(order) / config.batch_size))
    totals = torch.zeros(len(game.players))
    for step in range(steps):
        places = order[step * config.batch_size : (step + 1) * config.batch_size]
        if len(places) < 2 and steps > 1:
            continue  # batch normalisation cannot learn from one row
        done = pace(epoch + step / steps)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * group["rate"] * one_cycle(done, config.warm_up)
        batch = rows.take(places)
        if augment is not None:
            batch = augment(batch, generator)
        for turn, player in enumerate(game.players):
            for _ in range(player.steps):
                value = _update(network, game, turn, batch, config, optimizer)
                totals[turn] += value * (len(places) / len(order) / player.steps)
    means: list[float] = totals.tolist()
    if not all(map(math.isfinite, means)):
        raise FloatingPointError("is no longer a number")
    return means


def _update(network: nn.Module, game: Game, turn: int, batch: Any, config: TrainingConfig, optimizer: Any) -> Tensor:
    """Let one player take one step; the weights of the others have no gradient and stay.

    All players share one optimizer, a group of parameters each: it passes over parameters without a gradient.
    """
    optimizer.zero_grad(set_to_none=True)
    with _autocast(config.precision):
        value = game.players[turn].loss(network, batch)
    alone = len(game.players) == 1
    value.backward(inputs=None if alone else optimizer.param_groups[turn]["params"])  # type: ignore[no-untyped-call]
    optimizer.step()
    return value.detach().float()


def _measure(network: nn.Module, game: Game, rows: Examples, held_out: Tensor, config: TrainingConfig) -> float:
    import torch

    network.eval()
    torch.manual_seed(config.seed)  # noise that is part of a loss is the same in every epoch
    total = 0.0
    with torch.no_grad(), _autocast(config.precision):
        for part in held_out.split(4 * config.batch_size):  # type: ignore[no-untyped-call]
            total += float(game.players[0].loss(network, rows.take(part)).float()) * len(part)
    return total / max(1, len(held_out))


def _require_sane(loss: float, at_first: float) -> None:
    """Stop while the weights that were kept are still worth something."""
    if not math.isfinite(loss):
        raise FloatingPointError("is no longer a number")
    if loss > EXPLODED * max(1.0, at_first):
        raise FloatingPointError(f"is more than {EXPLODED:,} times what it was at first")


def one_cycle(done: float, warm_up: float) -> float:
    """Return the learning rate's factor: up linearly in the share `warm_up`, then down to 0 as a cosine.

    Examples
    --------
    >>> [round(one_cycle(done, 0.2), 2) for done in (0.1, 0.2, 0.6, 1.0)]
    [0.52, 1.0, 0.5, 0.0]
    """
    if done < warm_up:
        return 0.04 + 0.96 * done / warm_up
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (done - warm_up) / (1 - warm_up))))


def split(count: int, config: TrainingConfig) -> tuple[Tensor, Tensor]:
    """Return the places of training and validation rows; with no share held out, validation is a sample of training."""
    import torch

    order = torch.randperm(count, generator=torch.Generator().manual_seed(config.seed))
    held_out = round(count * config.validation)
    if held_out == 0:
        return order, order[: min(count, 2048)]
    return order[held_out:], order[:held_out]


def uses_bf16(precision: str) -> bool:
    """Tell whether training runs in bf16: asked for, or ``auto`` on a processor with bf16 arithmetic."""
    if precision != "auto":
        return precision == "bf16"
    import torch

    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(supported())


def _autocast(precision: str) -> Any:
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=uses_bf16(precision))


def _copied(network: nn.Module) -> dict[str, Any]:
    return {key: value.detach().clone() for key, value in weights_of(network).items()}
