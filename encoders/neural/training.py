"""The ONE training loop: AdamW, one cycle, validation, early stopping, checkpoints, bf16 where it pays."""

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
from encoders.neural.training_config import COURSE, History, Plan
from encoders.progress import progress

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["nn.Module", Any], "Tensor"]
Augment = Callable[[Any, Any], Any]
#: Parts of the progress bar: finer than an epoch, coarser than its own redrawing.
TICKS = 1000
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
    loss: Loss,
    rows: Examples,
    plan: Plan,
    work: Path | None = None,
    augment: Augment | None = None,
    method: str = "",
    watch: Watch | None = None,
    new_course: bool = False,
) -> History:
    """Train a network in place and leave it with its best weights, in evaluation mode.

    Parameters
    ----------
    network : torch.nn.Module
    loss : callable
        ``loss(network, batch)`` -> mean loss of a mini-batch (scalar tensor).
    rows : Examples
    plan : Plan
    work : Path, optional
        Where a checkpoint is written after every epoch; a run that was killed goes on from it, and ends with the same
        weights as one that was not. It stays when the run has ended: whoever gave the folder removes it.
    augment : callable, optional
        ``augment(batch, generator)`` -> batch, in training only.
    method : str
        All options of the method; a checkpoint of other options or other rows is left aside.
    watch : callable, optional
        Told the history when training begins and after every epoch; who watches shows the progress.
    new_course : bool
        Go on from a checkpoint even if what `COURSE` names was otherwise there.

    Returns
    -------
    History

    Raises
    ------
    BadItemError
        When there are not two rows to learn from.
    TrainingError
        When the loss is no longer a number, or a mini-batch does not fit into memory; the checkpoint of the last good
        epoch stays.

    References
    ----------
    Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019 (AdamW); Smith & Topin, Super-convergence,
    2018 (one cycle).
    """
    import torch

    torch.set_num_threads(available_cores())
    training, held_out = split(len(rows), plan)
    if len(training) < 2:  # what batch normalisation needs
        beside = f" beside the {len(held_out)} held out" if len(rows) > 1 else ""
        name = method.partition(":")[0] or "training"
        raise BadItemError(f"{name} learns from at least 2 items{beside}; got {len(training)}")
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
    )
    history, best = History(), _copied(network)
    identity = {} if work is None else {**asdict(plan), "method": method, "rows": rows.digest()}
    resumed = read_checkpoint(work, network, optimizer, history, identity, COURSE if new_course else ())
    if resumed is not None:
        best = resumed
    started = time.perf_counter() - sum(history.seconds)
    budget = math.inf if plan.minutes is None else 60 * plan.minutes

    def clock() -> float:
        return (time.perf_counter() - started) / budget

    if watch is not None:
        watch(history)
    name, done_before = method.partition(",")[0] or "a network", len(history.seconds)
    told = f"training {name}" + (f" from epoch {done_before + 1}" if done_before else "")

    def over() -> bool:
        return clock() >= 1 or len(history.seconds) - history.best_epoch > plan.patience > 0

    if new_course:
        history.ended = over()
    at_first = history.validation_loss[0] if history.validation_loss else None
    with progress(told, TICKS, shown=watch is None) as bar:

        def pace(epochs: float) -> float:
            """Return the share of the training that is done, by epochs or by the clock, and show it."""
            done = max(epochs / plan.epochs, clock())
            bar.update(max(0, int(min(1.0, done) * TICKS) - bar.done))
            return done

        for epoch in range(len(history.seconds), plan.epochs):
            if history.ended:
                break
            begun = time.perf_counter()
            with _explained(plan, epoch, work):
                if at_first is None:
                    at_first = _measure(network, loss, rows, held_out, plan)
                history.train_loss.append(_epoch(network, loss, rows, training, plan, epoch, optimizer, augment, pace))
                history.validation_loss.append(_measure(network, loss, rows, held_out, plan))
                _require_sane(history.validation_loss[-1], at_first)
            history.seconds.append(time.perf_counter() - begun)
            if history.validation_loss[-1] <= min(history.validation_loss):
                history.best_epoch, best = epoch, _copied(network)
            history.ended = over()
            write_checkpoint(work, network, optimizer, history, best, identity)
            last = history.train_loss[-1], history.validation_loss[-1]
            bar.note = f"epoch {epoch + 1}, training {last[0]:.4g}, validation {last[1]:.4g}"
            if watch is not None:
                watch(history)
    take_weights(network, best)
    network.eval()
    return history


@contextmanager
def _explained(plan: Plan, epoch: int, work: Path | None) -> Iterator[None]:
    """Say what to do when an epoch fails, and that the epochs before it are kept."""
    kept = f"; the {epoch} epochs before it are kept in {work}" if work is not None and epoch else ""
    else_large = "" if epoch else "; should that not help, the input's numbers, noise or a penalty are too large"
    try:
        yield
    except FloatingPointError as diverged:
        raise TrainingError(
            f"the loss {diverged} in epoch {epoch + 1}: lower the learning rate (it is {plan.learning_rate:g})"
            f"{kept}{else_large}"
        ) from None
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"a batch of {plan.batch_size:,} does not fit into memory in epoch {epoch + 1}: lower batch-size{kept}"
        ) from error


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether it is what torch raises when an allocation fails."""
    return "alloc" in str(error)


def _epoch(
    network: nn.Module,
    loss: Loss,
    rows: Examples,
    training: Tensor,
    plan: Plan,
    epoch: int,
    optimizer: Any,
    augment: Augment | None,
    pace: Callable[[float], float],
) -> float:
    import torch

    network.train()
    # one generator an epoch, so that an epoch is the same whether or not the run was interrupted before it
    generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + epoch)
    torch.manual_seed(plan.seed * 1_000_003 + epoch)
    order = training[torch.randperm(len(training), generator=generator)]
    steps = max(1, math.ceil(len(order) / plan.batch_size))
    total = torch.zeros(())
    for step in range(steps):
        places = order[step * plan.batch_size : (step + 1) * plan.batch_size]
        if len(places) < 2 and steps > 1:
            continue  # batch normalisation cannot learn from one row
        done = pace(epoch + step / steps)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * one_cycle(done, plan.warm_up)
        batch = rows.take(places)
        if augment is not None:
            batch = augment(batch, generator)
        with _autocast(plan.precision):
            value = loss(network, batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += value.detach().float() * (len(places) / len(order))
    mean = float(total)
    if not math.isfinite(mean):
        raise FloatingPointError("is no longer a number")
    return mean


def _measure(network: nn.Module, loss: Loss, rows: Examples, held_out: Tensor, plan: Plan) -> float:
    import torch

    network.eval()
    torch.manual_seed(plan.seed)  # noise that is part of a loss is the same in every epoch
    total = 0.0
    with torch.no_grad(), _autocast(plan.precision):
        for part in held_out.split(4 * plan.batch_size):  # type: ignore[no-untyped-call]
            total += float(loss(network, rows.take(part)).float()) * len(part)
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


def split(count: int, plan: Plan) -> tuple[Tensor, Tensor]:
    """Return the places of training and validation rows; with no share held out, validation is a sample of training."""
    import torch

    order = torch.randperm(count, generator=torch.Generator().manual_seed(plan.seed))
    held_out = round(count * plan.validation)
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
