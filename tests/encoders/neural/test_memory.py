"""What does not fit into memory is said in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
import numpy as np, torch
from encoders.errors import TrainingError
from encoders.registry import create
held = 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1])
resource.setrlimit(resource.RLIMIT_AS, (held + (2 << 30), held + (2 << 30)))
rows = np.zeros((40_000, 4), dtype=np.float32)
try:
    create(sys.argv[1]).fit(rows)
except TrainingError as error:
    print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the size of a process from Linux's /proc")
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("deep-ae:40000-2,batch-size=40000,epochs=1,precision=fp32",
         "a batch of 40,000 does not fit into memory in epoch 1: lower batch-size"),
        ("deep-ae:40000-40000-2,epochs=1", "deep-ae: the network does not fit into memory: make it smaller"),
    ],
)  # fmt: skip
def test_what_does_not_fit_into_memory_names_the_cure(spec, said):
    root, command = Path(__file__).parents[3], [sys.executable, "-c", PROGRAM, spec]
    assert subprocess.run(command, capture_output=True, text=True, cwd=root, check=True).stdout.strip() == said
