"""One flipped bit anywhere in a saved index is an error or changes nothing; never does the process crash."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from encoders import checksums
from encoders.checksums import check_file, file_sums
from encoders.codes import Kind, Metric, Space
from encoders.errors import ArtifactError
from indexers import folder as saved
from indexers.folder import read_csr, verify_index, write_array
from indexers.registry import create_index, load_index

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys, zlib
sys.path[:0] = [{root!r}, {root!r} + "/tests/servers"]
from pathlib import Path
import numpy as np
from scipy.sparse import random_array
from encoders import checksums
from encoders.codes import Kind, Metric, Space
from flipping import outcomes
from indexers.registry import create_index, load_index

some_blocks = {some_blocks}
if some_blocks:  # as in files of gigabytes: most blocks are not looked at
    checksums.BLOCK_BYTES, checksums.AT_OPENING, checksums._FEW = 64, 3, 10**9
draw = np.random.default_rng(0)
dense = draw.standard_normal((300, 16)).astype(np.float32)
sparse = random_array((300, 50), density=0.1, format="csr", dtype=np.float32, rng=draw)
bits = draw.integers(0, 256, (300, 4), dtype=np.uint8)
codes = {{Kind.DENSE: dense, Kind.SPARSE: sparse, Kind.BINARY: bits}}
widths = {{Kind.DENSE: 16, Kind.SPARSE: 50, Kind.BINARY: 32}}

def same(found, wanted):
    return found == wanted

for description, kind, metric in {cases!r}:
    kind, metric = Kind(kind), Metric(metric)
    matrix = codes[kind]
    index = create_index(description, Space(widths[kind], kind, metric)).fit(matrix)
    index.add([f"item {{row}}" for row in range(300)], matrix)
    if description == "faiss:Flat":
        index.remove(["item 7"])
    folder = Path({folder!r}) / str(zlib.crc32(f"{{description}} {{kind}} {{metric}}".encode()))
    index.save(folder)
    def answer():
        opened = load_index(folder)
        found = list(opened.search(matrix[:5], 4))
        if opened.holds_codes:
            found.append(opened.score_rows(matrix[:2], np.arange(20).reshape(2, 10)).tolist())
            whole = opened.codes()
            found.append(float(abs(whole).sum()))
        return found
    print(json.dumps([f"{{description}} {{kind}} {{metric}}", outcomes(folder, answer, same, 2)]), flush=True)
"""
CASES = [
    ("exact", "dense", "euclidean"),
    ("exact", "dense", "cosine"),
    ("exact", "sparse", "dot"),
    ("exact", "sparse", "euclidean"),
    ("exact", "binary", "hamming"),
    ("sparse", "sparse", "dot"),
    ("sparse", "sparse", "cosine"),
    ("faiss:Flat", "dense", "euclidean"),
    ("faiss:HNSW8", "dense", "dot"),
    ("faiss:IVF4,PQ4x4?nprobe=2", "dense", "cosine"),
    ("faiss:HNSW8", "binary", "hamming"),
    ("faiss:BHash8", "binary", "hamming"),
]


def damaged(folder, some_blocks, cases=CASES):
    program = PROGRAM.format(root=str(ROOT), folder=str(folder), some_blocks=some_blocks, cases=cases)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit {done.returncode} after {done.stdout}\n{done.stderr[-2000:]}"
    found = dict(map(json.loads, done.stdout.splitlines()))
    assert len(found) == len(cases)
    return found


def test_one_flipped_bit_is_an_error_or_changes_nothing(tmp_path):
    for case, counted in damaged(tmp_path, some_blocks=False).items():
        assert set(counted) <= {"error", "right"}, case
        assert counted["error"] > 150, case


def test_one_flipped_bit_in_a_block_that_is_not_looked_at_never_crashes(tmp_path):
    for case, counted in damaged(tmp_path, some_blocks=True).items():
        values = {f"wrong by {name}.npy" for name in ("codes", "codes.data", "codes.indices", "postings.data")}
        assert set(counted) <= {"error", "right", *values, "wrong by postings.indices.npy"}, case


@pytest.fixture
def index(tmp_path):
    made = create_index("exact", Space(8, Kind.DENSE, Metric.EUCLIDEAN))
    made.add([str(row) for row in range(4000)], np.random.default_rng(0).random((4000, 8), dtype=np.float32))
    made.save(tmp_path / "i")
    return tmp_path / "i"


def flip(path, place):
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def test_everything_is_compared_where_everything_is_read_and_when_it_is_asked_for(index, monkeypatch):
    monkeypatch.setattr(checksums, "AT_OPENING", 2)
    monkeypatch.setattr(checksums, "BLOCK_BYTES", 1024)
    made = create_index("exact", Space(8, Kind.DENSE, Metric.EUCLIDEAN))
    made.add([str(row) for row in range(4000)], np.random.default_rng(0).random((4000, 8), dtype=np.float32))
    made.save(index)
    assert set(verify_index(index)) == {"codes.npy", "ids.json", "squared_lengths.npy"}
    flip(index / "codes.npy", 50_000)
    assert len(load_index(index)) == 4000
    for read in (verify_index, lambda folder: load_index(folder, mmap=False)):
        with pytest.raises(ArtifactError, match=r"codes.npy is damaged: the checksum of block 49 of 126 is not"):
            read(index)
    flip(index / "codes.npy", 50_000)
    flip(index / "ids.json", 5000)  # read whole: compared whole
    with pytest.raises(ArtifactError, match=r"ids.json is damaged"):
        load_index(index)


def test_some_blocks_are_compared_when_a_large_file_is_opened_first_and_last_always(tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "BLOCK_BYTES", 16)
    path = tmp_path / "file"
    path.write_bytes(bytes(range(250)) * 100)
    known = file_sums(path)
    read = []
    monkeypatch.setattr(checksums.os, "pread", lambda file, size, start: read.append(start) or b"")
    with pytest.raises(ArtifactError, match="block 1 of 1563"):
        check_file(path, known, whole=False)
    assert len(read) == checksums.AT_OPENING
    monkeypatch.undo()
    monkeypatch.setattr(checksums, "BLOCK_BYTES", 16)
    check_file(path, known, whole=False)
    for place in (0, 24_999):
        flip(path, place)
        with pytest.raises(ArtifactError, match="is damaged"):
            check_file(path, known, whole=False)
        flip(path, place)
    seen = set()
    for _ in range(40):
        seen.update(checksums._some(100))
    assert len(seen) > 90  # each opening looks at others


def test_an_index_of_an_older_nearby_is_still_checked_and_opened(index):
    manifest = json.loads((index / "manifest.json").read_text())
    del manifest["digest"]
    for name, known in manifest["files"].items():
        manifest["files"][name] = {"bytes": known["bytes"], "sha256": saved.digest_of(index / name)}
    (index / "manifest.json").write_text(json.dumps({**manifest, "format": 1}))
    assert len(load_index(index)) == 4000
    flip(index / "codes.npy", 50_000)
    with pytest.raises(ArtifactError, match=r"codes.npy is damaged"):
        load_index(index)


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("indices", [0, 3, 1], "has columns outside of 0 to 2"),
        ("indices", [0, -1, 1], "has columns outside of 0 to 2"),
        ("indptr", [0, 3, 1, 3], "the rows of m overlap"),
        ("indptr", [0, 1, 2, 4], "expected 3 rows"),
        ("indptr", [1, 1, 2, 3], "expected 3 rows"),
        ("indptr", [0, 3], "expected 3 rows"),
        ("indptr", [-1, 0, 1, 3], "expected 3 rows"),
        ("data", [1.0, 2.0], "expected 3 rows"),
        ("indices", [[0, 1, 2]], "other types or shapes"),
        ("indices", [0.0, 1.0, 2.0], "other types or shapes"),
    ],
)
def test_arrays_that_lead_outside_of_themselves_are_refused(tmp_path, part, values, message):
    arrays = {"data": np.ones(3, np.float32), "indices": np.array([0, 1, 2]), "indptr": np.array([0, 1, 2, 3])}
    for name, array in arrays.items():
        write_array(tmp_path / f"m.{name}.npy", np.array(values) if name == part else array)
    with pytest.raises(ValueError, match=message):
        read_csr(tmp_path, "m", (3, 3), mmap=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("rows", [3, 4000])
@pytest.mark.parametrize(
    ("description", "kind"),
    [("exact", Kind.DENSE), ("sparse", Kind.SPARSE), ("faiss:Flat", Kind.DENSE), ("faiss:BFlat", Kind.BINARY)],
)
def test_a_full_disk_is_an_error_of_the_system_whoever_writes(tmp_path, description, kind, rows):
    draw = np.random.default_rng(0)
    dense = draw.standard_normal((rows, 32)).astype(np.float32)
    codes = {Kind.DENSE: dense, Kind.SPARSE: csr_array(dense), Kind.BINARY: draw.integers(0, 256, (rows, 4), np.uint8)}
    metric = {Kind.DENSE: Metric.EUCLIDEAN, Kind.SPARSE: Metric.DOT, Kind.BINARY: Metric.HAMMING}[kind]
    index = create_index(description, Space(32, kind, metric))
    index.add([f"item {row}" for row in range(rows)], codes[kind])
    index.remove(["item 1"])
    written = [path.name for path in index.save(tmp_path / "whole").iterdir() if path.suffix != ".json"]
    for name in written:
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left on device"):
            index._write(folder)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(0,), (5,), (3, 4), (0, 4), (2, 3, 2)])
def test_an_array_is_written_as_numpy_writes_it(tmp_path, shape, order):
    for array in (
        np.arange(np.prod(shape), dtype=np.float32).reshape(shape, order=order),
        np.ones(shape, order=order)[::2],
    ):
        write_array(tmp_path / "mine.npy", array)
        np.save(tmp_path / "theirs.npy", array)
        assert (tmp_path / "mine.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()
