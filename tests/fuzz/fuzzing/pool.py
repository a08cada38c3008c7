"""Workers that read damaged inputs, watched from outside: one that crashes or hangs is counted and replaced."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from fuzzing.cases import Case, fresh
from fuzzing.worker import CASES

#: What one input may take: of the processor, and in all (a read that waits for ever uses none).
CPU_SECONDS, WALL_SECONDS = 10.0, 60.0
TESTS, ROOT = Path(__file__).parents[1], Path(__file__).parents[3]
#: What may come of an input: the first two are as they should be. `harness` is a fault of the damage, not of a reader.
OUTCOMES = ("read", "refused", "unclear", "traceback", "memory", "crash", "hang", "harness")
GOOD = set(OUTCOMES[:2])


def memory() -> str | None:
    """Return a folder in memory, where there is one: inputs are written and removed by the thousand."""
    folder = "/dev/shm"  # noqa: S108
    return folder if os.access(folder, os.W_OK) else None


def build(cases: Iterable[Case], root: Path) -> None:
    """Write the good files of every case; a case that cannot read them is no case."""
    for case in cases:
        folder = fresh(root / case.name)
        case.build(folder)
        with tempfile.TemporaryDirectory(dir=root) as scratch, tempfile.TemporaryDirectory(dir=root) as copy:
            shutil.copytree(folder, copy, dirs_exist_ok=True)
            case.read(Path(copy), Path(scratch), _First())


class _First(random.Random):
    """Chooses what stands first: the plain way to read a case."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


class Worker:
    """One process; `ask` gives what came of an input, or that it crashed or hung."""

    def __init__(self, root: Path, scratch: Path, heavy: bool) -> None:
        self.arguments = [str(root), str(scratch), *(["heavy"] if heavy else [])]
        self.process: subprocess.Popen[str] | None = None

    def ask(self, name: str, seed: int) -> dict[str, Any]:
        process = self.process or self._start()
        process.stdin.write(f"{name}\t{seed}\n")
        process.stdin.flush()
        used, started = _cpu_seconds(process.pid), time.monotonic()
        while True:
            line = self._line(0.5)
            if line:
                return json.loads(line)
            if process.poll() is not None:
                self.stop()
                code = process.returncode
                return {
                    "case": name,
                    "seed": seed,
                    "outcome": "crash",
                    "text": signal.Signals(-code).name if code < 0 else f"exit {code}",
                }
            late = time.monotonic() - started > WALL_SECONDS
            if late or _cpu_seconds(process.pid) - used > CPU_SECONDS:
                self.stop()
                return {"case": name, "seed": seed, "outcome": "hang", "text": "waits" if late else "computes"}

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    stream.close()
            self.process = None

    def _start(self) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(TESTS / "fuzz"), str(TESTS), str(ROOT)])
        environment = {
            **os.environ,
            "PYTHONPATH": paths,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fuzzing.worker", *self.arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip
        line = self._line(300)
        if not line:
            raise RuntimeError("the worker did not start")
        return self.process

    def _line(self, seconds: float) -> str:
        stream = self.process.stdout
        ready, _, _ = select.select([stream], [], [], seconds)
        return stream.readline() if ready else ""


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(asked: Sequence[tuple[str, int]], root: Path, workers: int, told: Callable[[dict[str, Any]], None]) -> None:
    """Read every input (case, seed) once; `told` hears what came of each, in no order."""
    heavy = any(not CASES[name].quick for name, _ in asked if name in CASES)
    queue, lock = iter(asked), threading.Lock()

    def work(number: int) -> None:
        worker = Worker(root, root / f".scratch-{number}", heavy)
        try:
            while True:
                with lock:
                    one = next(queue, None)
                if one is None:
                    return
                found = worker.ask(*one)
                with lock:
                    told(found)
        finally:
            worker.stop()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
