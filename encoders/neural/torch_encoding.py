"""Encoding with a torch network: rows in blocks, weights as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse

from encoders.codes import slices
from encoders.cpu_count import available_cores
from encoders.torch_device import device_or_cpu, full_precision, moved, on_device, place

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Rows per forward pass.
PIECE = 512


def in_pieces(network: nn.Module, rows: Any, answer: Callable[[Tensor], Tensor], device: str) -> Any:
    """Return `answer` applied to rows (n, width), dense or sparse, `PIECE` rows at a time, without gradients.

    `network`, which `answer` uses, is moved to the `device` and stays there; without such a device, on the CPU.
    """
    import torch

    torch.set_num_threads(available_cores())
    here = device_or_cpu(device)
    place(network, here)
    with torch.no_grad(), on_device(here), full_precision(here):
        pieces = slices(rows, PIECE) if rows.shape[0] else [rows]  # no rows: the result still has a width
        parts = [answer(moved(torch.from_numpy(_dense(piece)), here)).cpu().numpy() for piece in pieces]
    return np.concatenate(parts)


def _dense(piece: Any) -> Any:
    return np.array(piece.toarray() if issparse(piece) else piece, dtype=np.float32, order="C")


def state_of(network: nn.Module) -> dict[str, Any]:
    """Return the arrays that a network needs to encode and decode."""
    return {
        f"network.{key}": value.detach().float().cpu().contiguous().numpy()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }


def load_state(network: nn.Module, state: dict[str, Any]) -> None:
    """Restore what `state_of` returned.

    Raises
    ------
    KeyError
        When an array is missing.
    """
    import torch

    network_state = network.state_dict()
    for key in network_state:
        if not key.endswith("num_batches_tracked"):
            network_state[key] = torch.from_numpy(state[f"network.{key}"])
    network.load_state_dict(network_state)
