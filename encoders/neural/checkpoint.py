"""Checkpoints of a training run: one safetensors file that is replaced atomically, so a kill leaves it intact."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.atomic_write import atomic_path
from encoders.errors import ArtifactError
from encoders.json_text import parse_json

if TYPE_CHECKING:
    from torch import nn

    from encoders.neural.training_config import History

FILE = "checkpoint.safetensors"


def weights_of(network: nn.Module) -> dict[str, Any]:
    """Return the state of a network; weights that two modules share (tied weights) are included once."""
    names = {name for name, _ in (*network.named_parameters(), *network.named_buffers())}
    return {key: value for key, value in network.state_dict().items() if key in names}


def take_weights(network: nn.Module, weights: dict[str, Any]) -> None:
    """Restore what `weights_of` returned."""
    network.load_state_dict(weights, strict=False)  # the second names of tied weights are missing


def write_checkpoint(
    work: Path | None,
    network: nn.Module,
    optimizer: Any,
    history: History,
    best: dict[str, Any],
    identity: dict[str, Any],
) -> None:
    """Write weights, best weights, optimizer state and history as ONE file by one rename.

    Raises
    ------
    ArtifactError
        When it cannot be written, for example on a full disk; the previous checkpoint stays.
    """
    if work is None:
        return
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {f"network.{key}": value for key, value in weights_of(network).items()}
    tensors |= {f"best.{key}": value for key, value in best.items()}
    for position, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{position}.{key}": value for key, value in values.items()}
    notes = {"history": json.dumps(vars(history)), "plan": json.dumps(identity)}
    try:
        with atomic_path(work / FILE) as temporary:
            save_file({key: value.contiguous() for key, value in tensors.items()}, temporary, metadata=notes)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArtifactError(
            f"cannot write {work / FILE}: {reason}: make room there, then resume from the previous checkpoint"
        ) from error


def read_checkpoint(
    work: Path | None,
    network: nn.Module,
    optimizer: Any,
    history: History,
    identity: dict[str, Any],
    free: Collection[str] = (),
) -> dict[str, Any] | None:
    """Restore an interrupted run of the same identity and return its best weights, or None; `free` keys may differ."""
    if work is None or not (work / FILE).exists():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(work / FILE, framework="pt") as file:
            notes = file.metadata() or {}
            known, kept = parse_json(notes["plan"]), parse_json(notes["history"])
            if _fixed(known, free) != _fixed(parse_json(json.dumps(identity)), free):
                return None
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, LookupError, ValueError, TypeError, AttributeError):
        return None  # an unreadable checkpoint must not prevent training
    weights, best, steps = (_under(prefix, tensors) for prefix in ("network.", "best.", "optimizer."))
    shapes = {key: value.shape for key, value in weights_of(network).items()}
    if any({key: value.shape for key, value in held.items()} != shapes for held in (weights, best)):
        return None
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    positions = {str(position) for position in range(len(parameters))}
    if not _is_history(kept) or not {key.partition(".")[0] for key in steps} <= positions:
        return None
    take_weights(network, weights)
    state = optimizer.state_dict()
    for key, value in steps.items():
        position, _, name = key.partition(".")
        weight = parameters[int(position)].detach()
        if value.shape == weight.shape:  # the fused step needs the same memory format for both
            value = weight.clone().copy_(value)
        state["state"].setdefault(int(position), {})[name] = value
    optimizer.load_state_dict(state)
    for name, value in kept.items():
        setattr(history, name, value)
    return best


def _is_history(kept: Any) -> bool:
    """Return whether a value has the fields and types that `History` writes."""
    lists, others = ("train_loss", "validation_loss", "seconds"), ("best_epoch", "ended", "losses", "collapsed")
    if not isinstance(kept, dict) or set(kept) != {*lists, *others}:
        return False
    if not isinstance(kept["losses"], dict) or not isinstance(kept["collapsed"], str):
        return False
    columns = [*(kept[name] for name in lists), *kept["losses"].values()]
    if not all(isinstance(column, list) and all(isinstance(one, int | float) for one in column) for column in columns):
        return False
    best, epochs = kept["best_epoch"], len(columns[0])
    return type(best) is int and -1 <= best < max(1, epochs) and isinstance(kept["ended"], bool)


def _fixed(identity: dict[str, Any], free: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key not in free}


def _under(prefix: str, tensors: dict[str, Any]) -> dict[str, Any]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
