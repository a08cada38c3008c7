"""The container: what is written is read again; of a damaged file, exactly the undamaged rest."""

import json
import struct
import subprocess
import sys

import pytest

from encoders.checksums import SUM_BYTES, sum_of
from encoders.errors import ArtifactError, OptionError
from retrieval.applications.compression.item_ids import STREAM, pack_ids, read_ids, unpack_ids
from retrieval.applications.compression.nby_file import MAGIC, PREFIX, DamagedChunkError
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer

PER_CHUNK = 4


def write(path, items, fresh=False):
    """Write items whose chunk is the text of their positions."""
    with open_writer(path, "test", PER_CHUNK, fresh) as writer:
        writer.add_section("tables", b"the tables")
        writer.add_section("empty", b"")
        writer.description = {"shape": [2, 3]}
        for start in range(0, items, PER_CHUNK):
            some = list(range(start, min(start + PER_CHUNK, items)))
            ids = pack_ids([f"item {position}" for position in some], start)
            writer.add_chunk({"codes": json.dumps(some).encode(), STREAM: ids}, len(some))
    return path


def read(path):
    """Return section, description, and of every chunk its items, or None where it is damaged."""
    with open_reader(path) as reader:
        chunks = []
        for number in range(reader.header.chunks):
            try:
                chunks.append((json.loads(reader.chunk("codes", number)), read_ids(reader, number)))
            except DamagedChunkError as error:
                chunks.append(None)
                located = (error.chunk, error.items)
                assert located == (number, reader.header.items_of(number))
        return reader.section("tables"), reader.section("empty"), reader.header.description, chunks


@pytest.mark.parametrize("items", [0, 1, 3, 4, 5, 8, 9])
def test_round_trip_at_every_boundary_of_chunks(tmp_path, items):
    path = write(tmp_path / "x.nby", items)
    tables, empty, description, chunks = read(path)
    assert (tables, empty, description) == (b"the tables", b"", {"shape": [2, 3]})
    assert [position for codes, _ in chunks for position in codes] == list(range(items))
    assert [id for _, ids in chunks for id in ids] == [f"item {position}" for position in range(items)]
    assert not list(tmp_path.glob(".*")), "a temporary file is left"


def test_every_damaged_byte_is_an_error_or_loses_its_own_chunk_alone(tmp_path):
    path = write(tmp_path / "x.nby", 9)
    whole, good = read(path), path.read_bytes()
    lost = 0
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x10]) + good[position + 1 :])
        try:
            *start, chunks = read(path)
        except ArtifactError:
            continue
        assert tuple(start) == whole[:3]
        assert sum(chunk is None for chunk in chunks) == 1
        assert all(chunk in (None, right) for chunk, right in zip(chunks, whole[3], strict=True))
        lost += 1
    assert lost > 20


def test_a_cut_file_gives_back_the_chunks_before_the_cut(tmp_path):
    path = write(tmp_path / "x.nby", 9)
    whole, good = read(path), path.read_bytes()
    kept = set()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        try:
            *_, chunks = read(path)
        except ArtifactError:
            continue
        assert all(chunk in (None, right) for chunk, right in zip(chunks, whole[3], strict=True))
        assert None in chunks
        kept.add(sum(chunk is not None for chunk in chunks))
    assert kept == {0, 1, 2}


def _rewritten(good, change):
    _, version, length = PREFIX.unpack(good[: PREFIX.size])
    header = json.loads(good[PREFIX.size : PREFIX.size + length])
    change(header)
    text = json.dumps(header).encode()
    head = PREFIX.pack(MAGIC, version, len(text)) + text
    return head + sum_of(head) + good[PREFIX.size + length + SUM_BYTES :]


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.update(items=10**12),
        lambda header: header.update(items=10**12, streams=[]),
        lambda header: header.update(items=10**12, items_per_chunk=10**12),
        lambda header: header.update(items=-1),
        lambda header: header.update(items=True),
        lambda header: header.update(items_per_chunk=0),
        lambda header: header.update(nearby="a recommender"),
        lambda header: header.update(method=7),
        lambda header: header.update(description=[]),
        lambda header: header.update(sections=[{"name": "tables"}]),
        lambda header: header["sections"].append(header["sections"][0]),
        lambda header: header["sections"][0].update(bytes=10**15),
        lambda header: header["sections"][0].update(sum="00"),
        lambda header: header["streams"][0].update(bytes=10**15),
        lambda header: header["streams"][0].update(bytes=0),
        lambda header: header.pop("streams"),
    ],
)
def test_a_hostile_header_is_one_sentence(tmp_path, change):
    path = write(tmp_path / "x.nby", 9)
    path.write_bytes(_rewritten(path.read_bytes(), change))
    with pytest.raises(ArtifactError, match=r"x\.nby is (damaged|corrupt)"):
        read(path)


def test_foreign_newer_and_missing_files(tmp_path):
    path = write(tmp_path / "x.nby", 3)
    good = path.read_bytes()
    for content, sentence in [
        (b"", "is empty"),
        (b"PK\x03\x04", "was not written by 'nearby compress'"),
        (good.replace(b"\r\n", b"\n"), "was not written by 'nearby compress'"),
        (good[:9], "cut"),
        (MAGIC + struct.pack("<II", 99, 10) + good[16:], "format 99, this nearby reads up to 1: install a newer"),
        (MAGIC + struct.pack("<II", 1, 2**32 - 1) + good[16:], "cut or damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match=sentence):
            read(path)
    with pytest.raises(ArtifactError, match="cannot read"):
        read(tmp_path / "missing.nby")
    with pytest.raises(ArtifactError, match="cannot read"):
        read(tmp_path)


def test_nothing_is_overwritten_unless_forced(tmp_path):
    path = tmp_path / "x.nby"
    path.write_text("mine")
    for fresh in (False, True):
        with pytest.raises(OptionError, match="was not written by 'nearby compress'"):
            write(path, 3, fresh=fresh)
    assert path.read_text() == "mine"
    path.write_bytes(b"")
    write(path, 3, fresh=True)
    with pytest.raises(OptionError, match="--fresh"):
        write(path, 3)
    assert len(read(path)[3]) == 1
    with pytest.raises(OptionError, match="is a folder"):
        write(tmp_path, 3, fresh=True)


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "x.nby"

    def written():
        with open_writer(path, "test") as writer:
            writer.add_chunk({"codes": b"1"}, 1)
            path.write_text("mine")

    with pytest.raises(OptionError, match="was not written by 'nearby compress'"):
        written()
    assert path.read_text() == "mine"


def test_after_an_error_nothing_is_written(tmp_path):
    def failed():
        with open_writer(tmp_path / "x.nby", "test") as writer:
            writer.add_chunk({"codes": b"1"}, 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failed()
    assert list(tmp_path.iterdir()) == []


def test_chunks_have_one_size_and_the_same_streams(tmp_path):
    with open_writer(tmp_path / "x.nby", "test", PER_CHUNK) as writer:
        writer.add_chunk({"codes": b"1"}, PER_CHUNK)
        with pytest.raises(ValueError, match="streams"):
            writer.add_chunk({"pixels": b"1"}, PER_CHUNK)
        with pytest.raises(ValueError, match="a chunk of 5 items"):
            writer.add_chunk({"codes": b"1"}, PER_CHUNK + 1)
        writer.add_chunk({"codes": b"1"}, 1)
        with pytest.raises(ValueError, match="after 5 items"):
            writer.add_chunk({"codes": b"1"}, 1)
        writer.add_section("one", b"")
        with pytest.raises(ValueError, match="there already"):
            writer.add_section("one", b"")
    for wrong in (0, 1 << 17):
        with pytest.raises(OptionError, match="from 1 to"), open_writer(tmp_path / "y.nby", "test", wrong):
            pass


def test_a_pipe_is_written_to(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from retrieval.applications.compression.nby_writer import open_writer\n"
        "with open_writer(Path('/dev/stdout'), 'test', 4) as writer:\n"
        "    writer.add_chunk({'codes': b'[0]', 'ids': b''}, 1)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    path = tmp_path / "x.nby"
    path.write_bytes(done.stdout)
    with open_reader(path) as reader:
        assert reader.chunk("codes", 0) == b"[0]"
        assert read_ids(reader, 0) == ["0"]


@pytest.mark.parametrize("ids", [["a"], ["7", "9"], ["", "\ud800", "ä/../x"], ["8", "7"], ["a", "a"]])
def test_ids_are_kept(ids):
    assert unpack_ids(pack_ids(ids, 7), range(7, 7 + len(ids))) == ids


def test_ids_that_are_positions_cost_nothing(tmp_path):
    assert pack_ids(["7", "8"], 7) == b""
    with open_writer(tmp_path / "x.nby", "test") as writer:
        writer.add_chunk({"codes": b"", STREAM: b""}, 3)
    with open_reader(tmp_path / "x.nby") as reader:
        assert [stream.name for stream in reader.header.streams] == ["codes"]
        assert read_ids(reader, 0) == ["0", "1", "2"]


def test_hostile_ids():
    import zlib

    for wrong in (b"x", zlib.compress(b"[1]"), zlib.compress(b'["a","b"]'), zlib.compress(b"{}")):
        with pytest.raises(ValueError, match=r"."):
            unpack_ids(wrong, range(1))
    bomb = zlib.compress(b" " * (1 << 27), 9)
    with pytest.raises(ValueError, match="larger than"):
        unpack_ids(bomb, range(1))
