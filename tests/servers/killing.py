"""A process that is killed before any one of its changes to the disk: all of them are tried, one after the other."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator

import encoders.atomic_write

CHANGES = ("rename", "replace", "unlink", "rmdir", "mkdir", "link", "fsync")
KILLED, FAILED = 9, 1
#: No action under test makes more changes; one that does not end is a failure of its own.
MOST = 2000


def kills(action: Callable[[], object], every: int = 1) -> Iterator[int]:
    """Run an action again and again, each time killed one change later, until it ends; yield the number of the change.

    The process is a fork of this one, so what the action changes in memory is not seen. Nothing is made durable
    meanwhile, for speed: a kill loses nothing that the system was given.
    """
    fsync = os.fsync
    os.fsync = lambda descriptor: None
    try:
        yield from _kills(action, every)
    finally:
        os.fsync = fsync


def _kills(action: Callable[[], object], every: int) -> Iterator[int]:
    for number in range(1, MOST, every):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads, which the child does not use
            child = os.fork()
        if not child:
            _run(action, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, KILLED), f"the action failed at change {number} with {code}"
        yield number
        if code == 0:
            return
    raise AssertionError(f"the action made more than {MOST} changes")


def _run(action: Callable[[], object], number: int) -> None:
    """Run the action in this process, which ends here."""
    count = 0

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def change(*args: object, **kwargs: object) -> object:
            nonlocal count
            count += 1
            if count == number:
                os._exit(KILLED)
            return call(*args, **kwargs)

        return change

    try:
        for name in CHANGES:
            setattr(os, name, counted(getattr(os, name)))
        encoders.atomic_write.exchange = counted(encoders.atomic_write.exchange)  # type: ignore[assignment]
        action()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        os._exit(FAILED)
    os._exit(0)
