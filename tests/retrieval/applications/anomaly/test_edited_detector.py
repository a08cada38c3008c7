"""A detector that another program wrote, with right checksums: each wrong value is refused in one sentence.

Every array is emptied, cut, reshaped, of another type or missing; every field of the JSON is removed, or of another
type. What cannot be told from a detector is answered, in finite numbers.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from encoders.artifact import digest_of, sealed
from encoders.errors import NearbyError
from encoders.row import Row
from retrieval.applications.anomaly.detector import AnomalyDetector

ARRAYS, MANIFEST, NORMAL, CONTENTS = "arrays.safetensors", "manifest.json", "normal.json", "normal.safetensors"
WRONG = [None, -1, 1.5, "x", [], {}, True, 10**30, [None]]
#: Fields for people, of which any value of the right type is as good, and the list of the versions.
FREE = {"versions", "digest", "digests"}
EDITS = {
    "emptied": lambda a: a[:0],
    "cut": lambda a: a[:-1],
    "in another shape": lambda a: a.reshape(1, *a.shape),
    "of half precision": lambda a: a.astype(np.float16),
    "of integers": lambda a: a.astype(np.int64),
    "NaN": lambda a: np.full_like(a, np.nan),
    "repeated": lambda a: np.concatenate([a, a]),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, normal_rows):
    rows = normal_rows(60, 0)
    table = [Row(("a", "b", "c"), (float(one), float(two), "xy"[int(three > 0)])) for one, two, three, *_ in rows]
    root = tmp_path_factory.mktemp("saved")
    saved = {
        "rows": AnomalyDetector.fit(rows, ["vectors+pca:2", "vectors"], hold_out=0.3).save(root / "rows"),
        "table": AnomalyDetector.fit(table, "columns+pca:1", hold_out=0.3).save(root / "table"),
    }
    return saved, {"rows": rows[:2], "table": table[:2]}


def _seal(folder: Path, manifest: dict[str, Any] | None = None) -> None:
    manifest = json.loads((folder / MANIFEST).read_text()) if manifest is None else manifest
    manifest.pop("digest", None)
    if isinstance(manifest.get("digests"), dict):
        manifest["digests"] |= {name: digest_of(folder / name) for name in (ARRAYS, NORMAL, CONTENTS)}
    (folder / MANIFEST).write_text(json.dumps(sealed(manifest)))


def _is_refused(folder: Path, items: Any) -> bool:
    """Return whether an edited detector is refused, in one sentence; another one answers in finite numbers."""
    try:
        detector = AnomalyDetector.load(folder)
        p = detector.p_values(items)
        detector.explain(items[0])
    except NearbyError as error:
        return _is_one_sentence(str(error))
    assert ((p > 0) & (p <= 1)).all()
    return False


def _is_one_sentence(text: str) -> bool:
    """Check that an error is a sentence for people, not what Python said."""
    assert "\n" not in text
    assert not any(word in text for word in ("object has no", "object is not", "indices must", "unhashable"))
    return True


@pytest.mark.parametrize("case", ["rows", "table"])
@pytest.mark.parametrize("edit", EDITS)
def test_every_array(folders, tmp_path, case, edit):
    saved, items = folders
    for file in (ARRAYS, CONTENTS):
        arrays = load_file(saved[case] / file)
        for name, array in arrays.items():
            folder = shutil.copytree(saved[case], tmp_path / "d", dirs_exist_ok=True)
            save_file({**arrays, name: np.ascontiguousarray(EDITS[edit](array))}, folder / file)
            _seal(folder)
            refused = _is_refused(folder, items[case])
            harmless = name in ("calibration", "training") or "reference" in name  # as many scores as there are
            unused = name == "0.reference" and case == "table"  # of a single space
            if not unused and not (harmless and edit in ("cut", "repeated")):
                assert refused, (file, name, edit)


@pytest.mark.parametrize("case", ["rows", "table"])
def test_an_array_too_few_or_too_many(folders, tmp_path, case):
    saved, items = folders
    arrays = load_file(saved[case] / ARRAYS)
    changes = [{key: array for key, array in arrays.items() if key != name} for name in arrays]
    for change in [*changes, {**arrays, "7.mean": np.zeros(2)}, {**arrays, "more": np.zeros(2)}]:
        if "training" not in change or (case == "table" and "0.reference" not in change):  # not needed
            continue
        folder = shutil.copytree(saved[case], tmp_path / "d", dirs_exist_ok=True)
        save_file(change, folder / ARRAYS)
        _seal(folder)
        assert _is_refused(folder, items[case]), set(arrays) ^ set(change)


def _paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    some = [(key, one) for key, one in entries if not isinstance(key, int) or key < 1]
    return [path for key, one in some for path in [(*before, key), *_paths(one, (*before, key))]]


def _changed(value: Any, path: tuple[Any, ...], new: Any, remove: bool = False) -> Any:
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if remove:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return copy


@pytest.mark.parametrize("case", ["rows", "table"])
@pytest.mark.parametrize("file", [MANIFEST, NORMAL])
def test_every_field(folders, tmp_path, case, file):
    saved, items = folders
    folder = shutil.copytree(saved[case], tmp_path / "d")
    value = json.loads((folder / file).read_text())
    for path in _paths(value):
        if path[0] in FREE:
            continue
        for new in [*WRONG, ...]:
            change = _changed(value, path, None if new is ... else new, remove=new is ...)
            if file == NORMAL:
                (folder / NORMAL).write_text(json.dumps(change))
                _seal(folder)
            else:
                _seal(folder, change)
            refused = _is_refused(folder, items[case])
            assert refused or _may_be(path, new, value), (path, new)


def _may_be(path: tuple[Any, ...], new: Any, value: Any) -> bool:
    """Return whether a value is as good as the one that was there."""
    old: Any = value
    for key in path:
        old = old[key]
    name = next(key for key in reversed(path) if isinstance(key, str))
    if type(new) is type(old) and (new == old or name == "by_order"):
        return True
    if type(new) is type(old) and name in ("corpus", "spec", "normal", "ids", "titles", "snippets", "labels"):
        return isinstance(new, str) or new in ([], old)
    if name in ("labels", "titles", "snippets", "rows") and (new is None or isinstance(new, str)):
        return len(path) > 1  # a label may be missing, and so may a value of a row
    if name == "rows" and isinstance(new, float):
        return True
    return path == ("record", "n_distinct") and new is ...  # older detectors had none
