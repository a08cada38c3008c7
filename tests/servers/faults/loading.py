"""A process that loads, with a log of what was acknowledged to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

NOTED = Path(__file__).with_name("noted.py")


class Loading:
    """One ``nearby index`` or ``nearby add`` in a process of its own, begun at once.

    Parameters
    ----------
    words : sequence of str
        The command, without ``nearby``.
    log : Path
        Where acknowledged keys are appended; what it said stands beside it.
    pause : float
        Seconds after each request.
    """

    def __init__(self, words: Sequence[str], log: Path, pause: float) -> None:
        self.words, self.log, self.pause = list(words), log, pause
        self._begin(self.words)

    def _begin(self, words: Sequence[str]) -> None:
        with self.log.with_suffix(".said").open("ab") as said:
            command = [sys.executable, str(NOTED), str(self.log), str(self.pause), *words]
            self.process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | {"COLUMNS": "200"})

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def acknowledged(self) -> list[str]:
        """Return the keys that the server has acknowledged so far, in all runs."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]  # the last is not whole, or empty
        return [json.loads(line) for line in lines]

    def wait_for(self, documents: int, timeout: float = 180) -> None:
        """Wait until so many documents were acknowledged, or it has ended."""
        end = time.monotonic() + timeout
        while self.running and len(self.acknowledged()) < documents:
            if time.monotonic() > end:
                raise TimeoutError(f"{documents} documents were not acknowledged: {self.said()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def wait(self, timeout: float = 600) -> int:
        """Return its exit status."""
        return self.process.wait(timeout)

    def again(self, *more: str) -> None:
        """Begin the same command again, with more words."""
        self._begin([*self.words, *more])

    def said(self) -> str:
        """Return the end of what it said."""
        return self.log.with_suffix(".said").read_text(encoding="utf-8", errors="replace")[-1_000:]
