"""A short run over every reader and the commonest artifacts: each damaged input is read, or refused in one sentence."""

from __future__ import annotations

from typing import Any

from fuzzing.pool import GOOD, build, run
from fuzzing.worker import CASES

#: Inputs of each; ``make fuzz`` reads thousands.
EACH = 3
#: The file of an index of FAISS and a torch network are left to ``make fuzz``: importing their libraries takes longer.
QUICK = [name for name, case in CASES.items() if case.quick]


def test_damaged_inputs_are_read_or_refused(tmp_path):
    faults: list[dict[str, Any]] = []
    counts: dict[str, int] = {}

    def told(found: dict[str, Any]) -> None:
        counts[found["outcome"]] = counts.get(found["outcome"], 0) + 1
        if found["outcome"] not in GOOD:
            faults.append(found)

    build([CASES[name] for name in QUICK], tmp_path)
    run([(name, seed) for seed in range(EACH) for name in QUICK], tmp_path, 2, told)
    assert not faults
    assert sum(counts.values()) == EACH * len(QUICK)
    assert counts["refused"] > counts["read"] // 4  # the damage is felt


def test_a_fault_would_be_found(tmp_path):
    """Every outcome that is a fault, once: the harness itself is tried."""
    found: dict[str, str] = {}
    names = [f"self {outcome}" for outcome in ("traceback", "unclear", "memory", "crash", "read", "refused")]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("text")
    run([(name, 0) for name in names], tmp_path, 1, lambda one: found.update({one["case"]: one["outcome"]}))
    assert found == {name: name.partition(" ")[2] for name in names}
