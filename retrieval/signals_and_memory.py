"""What the system does to this process, its signals and its limits of memory, as the command line answers to it."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from encoders.cpu_count import available_cores
from encoders.errors import OptionError

#: Address space that NumPy, SciPy, scikit-learn and FAISS need to be loaded. With less their OpenBLAS, of which each
#: has its own, ends the process, or asks for memory for ever.
LEAST_MEMORY = 2**30
#: What OpenBLAS and the stack take for each thread; where they get none, OpenBLAS ends the process by itself.
MEMORY_OF_THREAD = 256 * 2**20
#: What is answered without libraries.
HARMLESS = frozenset({"--help", "--version"})
#: How libraries say that there is no memory when they raise no MemoryError: NumPy's and PyTorch's loaders, PyTorch,
#: FAISS, Python's threads.
_NO_MEMORY = re.compile(
    r"failed to map segment|[Cc]annot allocate memory|can't allocate memory|not enough memory|bad_alloc|"
    r"can't start new thread|unable to allocate",
    re.IGNORECASE,
)


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does; yield what tells whether one of the three has come.

    A `KeyboardInterrupt` ends the block, so that whatever it writes is taken back. A second signal ends the process at
    once. A signal that is ignored, as Ctrl-C is in the background and SIGHUP under nohup, stays ignored.
    """
    came: list[int] = []
    before: dict[int, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for name, handler in (
            ("SIGINT", signal.default_int_handler),
            ("SIGTERM", signal.SIG_DFL),
            ("SIGHUP", signal.SIG_DFL),
        ):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == handler:
                before[number] = signal.signal(number, stop)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def memory_limit() -> int | None:
    """Return the bytes of address space that this process may have (``ulimit -v``), or None."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def fit_into_memory(arguments: Sequence[str]) -> None:
    """Make do with a limit of memory, before any library is loaded that does not; no verb loads none.

    Raises
    ------
    OptionError
        When it is too low for NumPy to be loaded.
    """
    limit = memory_limit()
    if limit is None or HARMLESS.intersection(arguments):
        return
    if limit < LEAST_MEMORY:
        raise OptionError(
            f"this process may have {_mib(limit)} of memory (ulimit -v), nearby needs at least {_mib(LEAST_MEMORY)}: "
            "raise the limit"
        )
    threads = limit // MEMORY_OF_THREAD - 1
    if threads < available_cores():
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(max(1, threads)))


def memory_sentence(error: BaseException) -> str | None:
    """Return a sentence about an error when it is one of too little memory, else None.

    Examples
    --------
    >>> memory_sentence(ImportError("libx.so: failed to map segment from shared object"))
    'there is not enough memory (libx.so: failed to map segment from shared object); ...'
    >>> memory_sentence(ValueError("no"))
    """
    text = " ".join(str(error).split())
    if not isinstance(error, MemoryError) and not _NO_MEMORY.search(text):
        return None
    limit = None
    with suppress(Exception):
        limit = memory_limit()
    cure = "close other programs or take less at a time" if limit is None else f"raise the limit of {_mib(limit)}"
    detail = f" ({text[:200]})" if text else ""
    return f"there is not enough memory{detail}; {cure}{'' if limit is None else ' (ulimit -v)'}"


def _mib(size: int) -> str:
    return f"{size // 2**20:,} MiB"
