"""The container: what is written is read again; of a damaged file, exactly the undamaged rest."""

import base64
import json
import struct
import subprocess
import sys

import pytest

from encoders.checksums import SUM_BYTES, sum_of
from encoders.errors import ArtifactError, OptionError
from retrieval.applications.compression.item_ids import STREAM, pack_ids, read_ids, unpack_ids
from retrieval.applications.compression.nby_file import (
    END_MAGIC,
    ENTRY_BYTES,
    FOOTER,
    MAGIC,
    PREFIX,
    DamagedChunkError,
)
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer

PER_CHUNK = 4
#: A file of five items in chunks of four, written by the version before format 2.
FORMAT_1 = base64.b85decode(
    "k4{2a4GJ0x0RR91Qvm<~dm?USVRB-5B03^rAY*TBaB^jHb7f>8V{dYBb#o#tB5h@KXm4a9IwEvsb95psB58DGZF3?zH7p`&bY*RG"
    "UvOn|Ut?%>ZfhbsG%O->Wn*+{Z*FrUI$L`pZeeX@B03^;VPb4$b0RDvVtI6Bb0Ru1Ff1Z-b!{R#B4J`RH8?S1W-?+oGhr|?F*0K_"
    "Gd5*7G&whAH8Nx{I3j&rEFyDsa%Ev{b0Ruhdm?UOZDk@lB4cl4Wpg4dB4T-TWpg4rF*PhAb9HSZIwE8-H#9IXF*so`IWje4H8*8B"
    "WMN`BVPR%CF=jAkWo9CMEPEnuVQpn1IwEOgb0RDvVtI6Bb0Ru4HY_4@b!{R#B4T4OWHmW9V=*-_V>K`}IAb+9V_`8lVq{}DWim5j"
    "WFmcCEFxrOb7OL8aCB*JZX!B+B6DbAaAhJoTQV#&U44B@1qF(vT`yH>X5HVBS5&-oXk{RDVPb4$a|{3g00Oq&>){V1dO4x=3~mHk"
    "@dE$=07kKhL1)D6(+Irqz(Hf(0vrGU05ls^ub_5NJbCk;-77~2^%4L806$6A3N;BmT8oW5miX;z-&-&&ATcZ;GAtl7U0XC=c-o6r"
    "$}CCERWMM}fiMhV3?mrBSSc0&$FT}ec-o6r$}CCERWMPC1ppCx0{{"
)


def write(path, items, fresh=False, per_chunk=PER_CHUNK):
    """Write items whose chunk is the text of their positions."""
    with open_writer(path, "test", per_chunk, fresh) as writer:
        writer.add_section("tables", b"the tables")
        writer.add_section("empty", b"")
        writer.description = {"shape": [2, 3]}
        for start in range(0, items, per_chunk):
            some = list(range(start, min(start + per_chunk, items)))
            ids = pack_ids([f"item {position}" for position in some], start)
            writer.add_chunk({"codes": json.dumps(some).encode(), STREAM: ids}, len(some))
    return path


def read(path, empty=True):
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
        nothing = reader.section("empty") if empty else b""
        return reader.section("tables"), nothing, reader.header.description, chunks


@pytest.mark.parametrize("items", [0, 1, 3, 4, 5, 8, 9])
def test_round_trip_at_every_boundary_of_chunks(tmp_path, items):
    path = write(tmp_path / "x.nby", items)
    tables, empty, description, chunks = read(path)
    assert (tables, empty, description) == (b"the tables", b"", {"shape": [2, 3]})
    assert [position for codes, _ in chunks for position in codes] == list(range(items))
    assert [id for _, ids in chunks for id in ids] == [f"item {position}" for position in range(items)]
    assert not list(tmp_path.glob(".*")), "a temporary file is left"


@pytest.mark.parametrize("change", [0x01, 0x10, 0xFF])
def test_any_damaged_byte_loses_one_item_at_most_and_is_said(tmp_path, change):
    path = write(tmp_path / "x.nby", 6, per_chunk=1)
    (*start, chunks), good = read(path), path.read_bytes()
    places = set()
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ change]) + good[position + 1 :])
        *found, rest = read(path)
        assert found == start
        lost = [number for number, (one, right) in enumerate(zip(rest, chunks, strict=True)) if one != right]
        with open_reader(path) as reader:
            damage = [str(error) for error in damaged_chunks(reader)]
            reader.section("tables")
            said = [*damage, *reader.repaired]
        assert len(said) == 1, "one sentence, whatever was damaged"
        assert said[0].startswith(f"{path} is damaged")
        assert len(lost) == len(damage) <= 1
        assert all(f"items {number} to {number}" in damage[0] for number in lost)
        assert bool(damage) != ("nothing is lost" in said[0])
        places.add(said[0].partition("damaged")[2].partition(" (")[0])
    assert len(places) > 2 * 6 + 6, "chunks of both streams, head, copy, section, tables, and their repair data"


def damaged_chunks(reader):
    for number in range(reader.header.chunks):
        for stream in ("codes", STREAM):
            try:
                reader.chunk(stream, number)
            except DamagedChunkError as error:
                yield error


def test_a_head_that_is_wiped_out_is_read_from_its_copy(tmp_path):
    path = write(tmp_path / "x.nby", 9)
    whole, good = read(path), path.read_bytes()
    with open_reader(path) as reader:
        head = len(reader.header.to_bytes()) + PREFIX.size + SUM_BYTES
    for behind in (b"", b"\0" * 512):  # a copy that fills its last block
        path.write_bytes(b"\0" * head + good[head:] + behind)
        assert read(path) == whole
    path.write_bytes(b"\0" * head + good[head:-1])
    with pytest.raises(ArtifactError, match="begins with other bytes"):
        read(path)


def test_the_repair_costs_the_head_and_little_more(tmp_path):
    path = tmp_path / "x.nby"
    for size, extra in ((10, 14), (10_000, 2 * 2 * 200), (4_000_000, 2 * 4000)):
        with open_writer(path, "test", fresh=True) as writer:
            writer.add_section("encoder", bytes(size))
            writer.add_chunk({"codes": b"1"}, 1)
        with open_reader(path) as reader:
            head = len(reader.header.to_bytes()) + PREFIX.size + SUM_BYTES
            table = ENTRY_BYTES
            added = path.stat().st_size - head - size - table - 1
            assert reader.parts["encoder"] - size <= extra
        assert added <= head + FOOTER.size + extra + table + 4


def test_a_file_of_format_1_is_read(tmp_path):
    path = tmp_path / "x.nby"
    path.write_bytes(FORMAT_1)
    tables, _, description, chunks = read(path, empty=False)
    assert (tables, description) == (b"the tables", {"shape": [2, 3]})
    assert [position for codes, _ in chunks for position in codes] == list(range(5))
    assert [id for _, ids in chunks for id in ids] == [f"item {position}" for position in range(5)]
    with open_reader(path) as reader:
        assert (reader.repaired, reader.missing_bytes, reader.extra_bytes) == ([], 0, 0)
        assert sum(reader.parts.values()) == len(FORMAT_1)
    path.write_bytes(FORMAT_1[:20] + b"?" + FORMAT_1[21:])
    with pytest.raises(ArtifactError, match="its header does not have the checksum"):
        read(path)


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
        with open_reader(path) as reader:
            assert reader.missing_bytes == len(good) - length
        assert all(chunk in (None, right) for chunk, right in zip(chunks, whole[3], strict=True))
        kept.add(sum(chunk is not None for chunk in chunks))
    assert kept == {0, 1, 2, 3}


def _rewritten(good, change):
    """Change the header, and its copy at the end."""
    _, version, length = PREFIX.unpack(good[: PREFIX.size])
    header, size = json.loads(good[PREFIX.size : PREFIX.size + length]), PREFIX.size + length + SUM_BYTES
    change(header)
    text = json.dumps(header).encode()
    head = PREFIX.pack(MAGIC, version, len(text)) + text
    head += sum_of(head)
    return head + good[size : -size - FOOTER.size] + head + FOOTER.pack(len(head), END_MAGIC)


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
        (MAGIC + struct.pack("<II", 99, 10) + good[16:-1], "format 99, this nearby reads up to 2: install a newer"),
        (MAGIC + struct.pack("<II", 1, 2**32 - 1) + good[16:-1], "cut or damaged"),
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
