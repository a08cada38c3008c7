"""A training that dies right after a checkpoint is written, as a killed process does."""

from __future__ import annotations

from encoders.neural import training


class Killed(Exception):
    """Stands for a process that ends in the middle of training."""


def kill_after(count: int, monkeypatch) -> None:
    """Let the training die right after its checkpoint number `count` is written."""
    write, written = training.write_checkpoint, []

    def write_and_die(*args):
        write(*args)
        written.append(args)
        if len(written) == count:
            raise Killed

    monkeypatch.setattr(training, "write_checkpoint", write_and_die)
