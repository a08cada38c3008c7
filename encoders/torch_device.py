"""Where networks compute: on the processor, or on a graphics processor (GPU) if there is one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from encoders.errors import OptionError

if TYPE_CHECKING:
    import torch
    from torch import nn

#: What the option ``device`` of an encoder may be.
DEVICES = ("auto", "cpu", "cuda", "mps")
#: Its help.
DEVICE_HELP = "Where the network computes; auto: on an Nvidia or AMD GPU (cuda) if there is one, otherwise on the CPU."


def is_available(device: str) -> bool:
    """Return whether this machine, and torch as installed, has a device.

    Examples
    --------
    >>> is_available("cpu")
    True
    """
    import torch

    if device == "cuda":
        return torch.cuda.is_available()
    return device == "cpu" or (device == "mps" and torch.backends.mps.is_available())


def device_of(name: str, wanted: str) -> str:
    """Return the device on which the encoder `name` trains.

    Raises
    ------
    OptionError
        When the wanted device is not there.

    Examples
    --------
    >>> device_of("deep-ae", "cpu")
    'cpu'
    """
    if wanted == "auto":
        return "cuda" if is_available("cuda") else "cpu"
    if not is_available(wanted):
        import torch

        raise OptionError(
            f"{name}: device={wanted}, but torch {torch.__version__} finds no such device on this machine: "
            "leave device out, or install a build of torch for it"
        )
    return wanted


def device_or_cpu(wanted: str) -> str:
    """Return the device on which a fitted encoder answers: the CPU where the wanted one is not there.

    A collection that was indexed with a GPU can so be searched on a machine without one.

    Examples
    --------
    >>> device_or_cpu("cpu")
    'cpu'
    """
    if wanted == "auto":
        return device_of("", "auto")
    return wanted if is_available(wanted) else "cpu"


def place(network: nn.Module, device: str) -> None:
    """Move a network to a device, in place; nothing happens if it is there."""
    first = next(network.parameters(), None)
    if first is not None and first.device.type != device:
        network.to(device)


def moved(value: Any, device: str) -> Any:
    """Return a batch on a device: a tensor, or tensors in tuples and dictionaries; anything else is unchanged.

    Examples
    --------
    >>> moved(["a text"], "cuda")
    ['a text']
    """
    import torch

    if device == "cpu":
        return value
    if isinstance(value, torch.Tensor):
        # pinned memory is copied while the GPU still computes the last batch
        pinned = value.pin_memory() if device == "cuda" and value.device.type == "cpu" else value
        return pinned.to(device, non_blocking=device == "cuda")
    if isinstance(value, tuple):
        return tuple(moved(part, device) for part in value)
    return {key: moved(part, device) for key, part in value.items()} if isinstance(value, dict) else value


def on_device(device: str) -> AbstractContextManager[Any]:
    """Return a context in which torch makes new tensors on a device; on the CPU it does nothing."""
    import torch

    return nullcontext() if device == "cpu" else torch.device(device)


def full_precision(device: str) -> AbstractContextManager[Any]:
    """Return a context in which a GPU multiplies in float32, not TF32, which would change codes; none on the CPU."""
    import torch

    return torch.backends.cudnn.flags(allow_tf32=False) if device == "cuda" else nullcontext()


def training_type(precision: str, device: str) -> torch.dtype | None:
    """Return the number format of matrix products in training; None: float32.

    ``auto`` is bf16 where the device has bf16 arithmetic, fp16 on other CUDA devices, and float32 otherwise.

    Examples
    --------
    >>> training_type("fp32", "cpu"), training_type("bf16", "cpu")
    (None, torch.bfloat16)
    """
    import torch

    if precision != "auto":
        return torch.bfloat16 if precision == "bf16" else None
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if device == "cpu" and supported() else None


def autocast(kind: torch.dtype | None, device: str) -> Any:
    """Return the context in which matrix products are computed in another number format than float32."""
    import torch

    return torch.autocast(device, dtype=kind or torch.bfloat16, enabled=kind is not None)
