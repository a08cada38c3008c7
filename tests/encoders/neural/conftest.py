"""How a training is killed."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from encoders.neural import training


class Killed(Exception):
    """Stands for a process that ends in the middle of training."""


@pytest.fixture
def killed_after(monkeypatch):
    """``with killed_after(3): encoder.fit(...)`` dies right after its third checkpoint is written."""

    @contextmanager
    def dying(count: int):
        write, written = training.write_checkpoint, []

        def write_and_die(*args):
            write(*args)
            written.append(args)
            if len(written) == count:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(training, "write_checkpoint", write_and_die)
            with pytest.raises(Killed):
                yield

    return dying
