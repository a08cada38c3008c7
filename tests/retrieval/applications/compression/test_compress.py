"""Compressed corpora: what is decoded, its error and size; order, repetition, damage; what is refused."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import ArtifactError, CorpusError, NearbyError, NotInvertibleError, OptionError, QueryError
from encoders.registry import create
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.compression.compress import compress
from retrieval.applications.compression.compress_lossless import compress_lossless
from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.applications.compression.decompress import LIST, VECTORS, decompress, safe_name
from retrieval.applications.compression.encoder_section import SECTION
from retrieval.applications.compression.nby_file import DamagedChunkError
from retrieval.applications.compression.quantizer import Quantizer
from retrieval.applications.compression.source import read_source
from retrieval.applications.compression.target import CompressionTarget
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.compression import compressed_lines, described_lines, ids_lines

PER_CHUNK = 8


class Pictures(Corpus):
    """Random smooth pictures whose ids are not their positions."""

    name, modality = "pictures", Modality.IMAGE

    def __init__(self, count=30, ids="cats/{}.jpg", rows=None):
        rng = np.random.default_rng(0)
        basis = rng.normal(size=(4, 36))
        levels = 128 + 40 * rng.normal(size=(60, 4)) @ basis / 2
        pictures = np.clip(levels, 0, 255).astype(np.uint8).reshape(-1, 6, 6)
        self.items = [Item(ids.format(row), pictures[row]) for row in (rows or range(count))]

    def __iter__(self):
        return iter(self.items)


class Vectors(Pictures):
    """The same as vectors."""

    modality = Modality.VECTOR

    def __iter__(self):
        return (Item(item.id, item.content.ravel().astype(np.float32) / 50) for item in self.items)


@pytest.fixture(scope="module")
def encoder():
    return create("pixels+pca:4").fit(Pictures().batches())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.nby"


def contents(path, encoder=None):
    with CompressedItems(path, encoder) as items:
        return {item.id: item.content.tolist() for item in items}


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17])
def test_round_trip_at_every_boundary_of_chunks(path, encoder, count):
    made = compress(Pictures(count), encoder, path, CompressionTarget(error=0.3), items_per_chunk=PER_CHUNK)
    assert made.size == path.stat().st_size == sum(made.parts.values())
    assert made.original == 36 * count
    with CompressedItems(path) as items:
        assert len(items) == count
        found = list(items)
        assert [item.id for item in found] == [item.id for item in Pictures(count)]
        assert list(items.ids()) == [item.id for item in found]
        errors = [
            np.square((one.content.astype(float) - other.content) / 255).sum()
            for one, other in zip(found, Pictures(count), strict=True)
        ]
        assert np.mean(errors) == pytest.approx(made.error, rel=1e-4)
        assert made.error <= 0.3
        for position in reversed(range(count)):  # one by one, in another order
            assert items[position].id == found[position].id
            np.testing.assert_array_equal(items[position].content, found[position].content)


def test_the_code_of_an_item_depends_on_no_other(tmp_path, encoder):
    """Permuted, repeated, in other chunks: the same pictures."""
    everything, rows = Pictures(30), [4, 4, 29, 0, 17]
    compress(everything, encoder, tmp_path / "a.nby", CompressionTarget(bits=3))
    whole = contents(tmp_path / "a.nby")
    with CompressedItems(tmp_path / "a.nby") as items:
        quantizer = items.decoder.quantizer
    from retrieval.applications.compression.encoder_section import packed
    from retrieval.applications.compression.nby_writer import open_writer
    from retrieval.applications.compression.quantized import METHOD, write_quantized

    some = Pictures(rows=rows)
    with open_writer(tmp_path / "b.nby", METHOD, 2) as writer:
        section, identity = packed(encoder)
        writer.add_section(SECTION, section)
        writer.description = {"encoder": identity}
        write_quantized(writer, encoder, quantizer, some)
    with CompressedItems(tmp_path / "b.nby") as items:
        assert [item.id for item in items] == [item.id for item in some]
        assert [item.content.tolist() for item in items] == [whole[item.id] for item in some]
        assert items.position("@cats/4.jpg") == 0
        again = [item.position for item in items.read([3, 0, 3])]
    assert again == [3, 0, 3]


def test_same_input_same_file(tmp_path, encoder):
    for name in "ab":
        compress(Pictures(), encoder, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_targets(tmp_path, encoder):
    sizes, errors = [], []
    for bits in (0.5, 1, 2, 4):
        made = compress(Pictures(), encoder, tmp_path / f"{bits}", CompressionTarget(bits=bits), items_per_chunk=1000)
        sizes.append(made.bytes_per_item)
        errors.append(made.error)
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    made = compress(Pictures(), encoder, tmp_path / "bytes", CompressionTarget(bytes=3), items_per_chunk=1000)
    assert made.bytes_per_item < 3.4
    made = compress(Pictures(), encoder, tmp_path / "default")
    assert made.own_error < made.error < 1.2 * made.own_error + 0.01


def test_targets_that_make_no_sense(path, encoder):
    for wrong, sentence in [
        ({"bytes": 3, "error": 2}, "two targets"),
        ({"bytes": 0}, "above 0"),
        ({"error": float("nan")}, "above 0"),
        ({"bits": float("inf")}, "above 0"),
    ]:
        with pytest.raises(OptionError, match=sentence):
            CompressionTarget(**wrong)
    with pytest.raises(OptionError, match=r"does not come below a squared error of .* raise it"):
        compress(Pictures(), encoder, path, CompressionTarget(error=1e-9))
    assert not path.exists()


def test_any_damaged_byte_loses_one_item_at_most_and_is_said(path, encoder):
    compress(Pictures(20), encoder, path, CompressionTarget(bits=2), items_per_chunk=1)
    whole, good = contents(path), path.read_bytes()
    right = list(whole.values())
    with CompressedItems(path) as items:
        start, size = items.reader.stream_start("codes"), sum(stream.size for stream in items.header.streams)
        header_end = 16 + int.from_bytes(good[12:16], "little") + 16
    outcomes = {"nothing": 0, "item": 0, "id": 0}
    every = [*range(0, header_end, 7), *range(header_end, start, 61), *range(start, start + size, 3)]
    for position in [*every, *range(start + size, len(good), 23)]:
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x40]) + good[position + 1 :])
        with CompressedItems(path) as items:
            found = list(items.read())
            assert len(items.damaged) + len(items.reader.repaired) == 1, position
            lost = set(items.damaged[0].items) if items.damaged and len(found) < 20 else set()
            damaged = bool(items.damaged)
        assert damaged == (start <= position < start + size)
        assert len(lost) <= 1
        assert [item.position for item in found] == [row for row in range(20) if row not in lost]
        assert all(item.content.tolist() == right[item.position] for item in found)
        if lost or not damaged:
            assert [item.id for item in found] == [id for row, id in enumerate(whole) if row not in lost]
        outcomes["item" if lost else "id" if damaged else "nothing"] += 1
    assert all(outcomes.values()), outcomes


def test_what_was_repaired_is_said_and_ends_with_an_error(path, encoder, tmp_path):
    compress(Pictures(20), encoder, path, items_per_chunk=PER_CHUNK)
    right, good = contents(path), path.read_bytes()
    for number, (position, what) in enumerate(
        [(30, "header"), (-30, "copy of its header"), (900, "section 'encoder'")]
    ):
        data = bytearray(good)
        data[position] ^= 1
        path.write_bytes(data)
        with CompressedItems(path) as items:
            written = decompress(items, tmp_path / str(number))
            assert any(what in line for line in described_lines(items))
        assert (written.items, len(written.damage)) == (20, 1)
        assert what in written.damage[0]
        assert contents(path) == right
        with pytest.raises(ArtifactError, match="damaged, but no item is lost"):
            written.require_whole()


def test_a_damaged_chunk_by_hand(path, encoder):
    compress(Pictures(20), encoder, path, CompressionTarget(bits=2), items_per_chunk=PER_CHUNK)
    good = path.read_bytes()
    with CompressedItems(path) as items:
        size = {stream.name: stream.size for stream in items.header.streams}["ids"]
        end = items.reader.stream_start("ids") + size
    path.write_bytes(good[: end - 1])
    with CompressedItems(path) as items:
        assert items[0].id == "cats/0.jpg"
        assert [item.position for item in items.read()] == list(range(20)), "only the last ids are cut"
    path.write_bytes(good[: -len(good) // 2])


def test_an_encoder_outside(tmp_path, encoder, path):
    own = encoder.save(tmp_path / "own")
    other = create("pixels+pca:3").fit(Pictures().batches()).save(tmp_path / "other")
    inside, outside = tmp_path / "inside.nby", tmp_path / "outside.nby"
    compress(Pictures(), Encoder.load(own), inside)
    made = compress(Pictures(), Encoder.load(own), outside, embed=False)
    assert "encoder" not in made.parts
    assert outside.stat().st_size < inside.stat().st_size
    assert contents(outside, own) == contents(inside)
    with pytest.raises(OptionError, match="does not hold its encoder"):
        contents(outside)
    with pytest.raises(OptionError, match="another encoder"):
        contents(outside, other)


def test_a_damaged_encoder_is_replaced_by_the_saved_one(tmp_path, encoder, path):
    compress(Pictures(), encoder, path)
    whole, data = contents(path), bytearray(path.read_bytes())
    for byte in (50, 500):  # one of them alone would be repaired
        data[16 + int.from_bytes(data[12:16], "little") + 16 + byte] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=r"section 'encoder' does not have the checksum .* with --encoder"):
        contents(path)
    assert contents(path, encoder.save(tmp_path / "own")) == whole


def test_vectors_and_a_neural_network(tmp_path):
    for spec, corpus in [
        ("pca:4", Vectors()),
        ("vectors+pca:4", Vectors()),
        ("pixels+linear-ae:3,epochs=2", Pictures()),
    ]:
        made = compress(corpus, create(spec), tmp_path / "x.nby", CompressionTarget(bits=4), fresh=True)
        assert made.bytes_per_item < 8
        with CompressedItems(tmp_path / "x.nby") as items:
            found = np.array([np.asarray(item.content, float).ravel() for item in items])
        scale = 255 if corpus.modality is Modality.IMAGE else 1
        right = np.array([np.asarray(item.content, float).ravel() for item in corpus])
        assert np.square((found - right) / scale).sum(axis=1).mean() == pytest.approx(made.error, rel=1e-3)


def test_what_cannot_be_compressed(path):
    for address, spec, sentence in [
        ("api-docs", "tfidf+lsa:4", "reads texts, which cannot be compressed by their codes"),
        ("digits", "pixels+pca:8+binarize", "are binary"),
    ]:
        with pytest.raises(NotInvertibleError, match=sentence):
            compress(open_corpus(address), create(spec), path)
    with pytest.raises(NotInvertibleError):
        compress(open_corpus("digits"), create("pixels+kmeans:5"), path)
    fitted = create("pixels+pca:2").fit(Pictures().batches())
    with pytest.raises(CorpusError, match="has no items"):
        compress(Pictures(0), fitted, path)
    assert not path.exists()


def test_nothing_is_overwritten_and_the_original_stays(tmp_path, encoder, path):
    path.write_text("mine")
    for fresh in (False, True):  # a file of another program may be the only copy of what is compressed
        with pytest.raises(OptionError, match="was not written by 'nearby compress': name another file"):
            compress(Pictures(), encoder, path, fresh=fresh)
    assert path.read_text() == "mine"
    path.unlink()
    compress(Pictures(), encoder, path)
    with pytest.raises(OptionError, match="--fresh"):
        compress(Pictures(), encoder, path)
    compress(Pictures(), encoder, path, fresh=True)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine").touch()
    with CompressedItems(path) as items, pytest.raises(OptionError, match="not an empty folder"):
        decompress(items, folder)


def test_files_of_pictures(tmp_path, encoder, path):
    from PIL import Image

    compress(Pictures(20), encoder, path, items_per_chunk=PER_CHUNK)
    with CompressedItems(path) as items:
        written = decompress(items, tmp_path / "all")
        some = decompress(items, tmp_path / "some", ["@cats/9.jpg", "2", "@cats/9.jpg"])
    assert (written.items, written.asked, written.damage) == (20, 20, [])
    written.require_whole()
    right = contents(path)
    for line in (tmp_path / "all" / LIST).read_text().splitlines():
        entry = json.loads(line)
        assert np.asarray(Image.open(tmp_path / "all" / entry["file"])).tolist() == right[entry["id"]]
    assert some.items == 2
    assert sorted(os.listdir(tmp_path / "some" / "cats")) == ["2.png", "9.png"]


@pytest.mark.parametrize("added", [b"\0", b"\0" * 512, b"another file"])
def test_bytes_behind_the_end_lose_no_item_and_are_said(path, encoder, tmp_path, added):
    """A copy that fills its last block, or two files in one, must not lose what is whole."""
    compress(Pictures(20), encoder, path, items_per_chunk=PER_CHUNK)
    right = contents(path)
    path.write_bytes(path.read_bytes() + added)
    with CompressedItems(path) as items:
        assert sum(items.reader.parts.values()) == path.stat().st_size - len(added)
        assert any("follow its end" in line for line in described_lines(items))
        written = decompress(items, tmp_path / "all")
    assert contents(path) == right
    assert (written.items, len(written.damage)) == (20, 1)
    with pytest.raises(ArtifactError, match="damaged, but no item is lost"):
        written.require_whole()


def test_chunks_that_are_cut_off_together_are_one_sentence(path, encoder, tmp_path):
    compress(Pictures(20), encoder, path, items_per_chunk=2)
    with CompressedItems(path) as items:
        end = items.reader.stream_start("codes")
    path.write_bytes(path.read_bytes()[:end])
    with CompressedItems(path) as items:
        written = decompress(items, tmp_path / "none")
    assert [line for line in written.damage if "codes" in line] == [
        f"{path} is damaged in chunks 1 to 10 of 10 of 'codes' (cut off): items 0 to 19 are lost"
    ]
    with pytest.raises(ArtifactError, match=r"20 of 20 items are lost$"):
        written.require_whole()


@pytest.mark.parametrize(
    ("corpus", "space", "name"), [(Pictures, "pixels+pca:4", "x.png"), (Vectors, "pca:4", "x.npy")]
)
def test_one_item_as_a_file(path, tmp_path, corpus, space, name):
    compress(corpus(20), create(space), path, items_per_chunk=PER_CHUNK)
    out = tmp_path / name
    with CompressedItems(path) as items:
        made = decompress(items, out, ["3", "3"])
        right = items[3].content
        with pytest.raises(OptionError, match="exists: name a new file"):
            decompress(items, out, ["3"])
        for names in ([], ["1", "2"]):
            with pytest.raises(OptionError, match="the name of a file, which holds one item"):
                decompress(items, tmp_path / f"other{out.suffix}", names)
        with pytest.raises(OptionError, match=f"should end in {out.suffix}"):
            decompress(items, tmp_path / "x.jpg", ["3"])
    got = np.load(out)[0] if name == "x.npy" else np.asarray(Image.open(out))
    np.testing.assert_array_equal(got.ravel(), np.ravel(right))
    assert made.to_json() == {"file": str(path), "written": str(out), "items": 1, "lost": 0, "damage": []}
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, name])


def test_one_item_of_a_damaged_chunk_leaves_no_file(path, encoder, tmp_path):
    compress(Pictures(20), encoder, path, items_per_chunk=PER_CHUNK)
    with CompressedItems(path) as items:
        codes_end = items.reader.stream_start("ids")
    path.write_bytes(path.read_bytes()[: codes_end - 1])
    with CompressedItems(path) as items:
        made = decompress(items, tmp_path / "x.png", ["19"])
    assert not (tmp_path / "x.png").exists()
    with pytest.raises(ArtifactError, match="the only item is lost"):
        made.require_whole()


def test_bytes_below_the_checksums_are_refused_and_a_file_without_components_is_said(path, encoder):
    with pytest.raises(OptionError, match=r"--bytes 0\.001 is less than the checksums alone, 2\.5 bytes per item"):
        compress(Pictures(20), encoder, path, CompressionTarget(bytes=0.001), items_per_chunk=PER_CHUNK)
    assert not path.exists()
    said: list[str] = []
    compress(Pictures(20), encoder, path, CompressionTarget(bytes=2.5), items_per_chunk=PER_CHUNK, say=said.append)
    assert any("--bytes 2.5 is exceeded: an item takes 3" in line for line in said)
    rows = np.random.default_rng(0).standard_normal((1000, 3)).astype(np.float32)
    many = GivenItems(rows, Modality.VECTOR)
    made = compress(many, create("vectors"), path, CompressionTarget(bytes=0.08), fresh=True, say=said.append)
    assert (made.kept, "no component is kept" in said[-1]) == (0, True)
    said.clear()
    compress(many, create("vectors"), path, CompressionTarget(bytes=1), fresh=True, say=said.append)
    assert said == ["fitting vectors"]


def test_very_large_numbers_are_compressed_like_small_ones(tmp_path):
    """Squares of 1e30 are beyond float32: steps and errors scale with the numbers."""
    rows = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
    made = [
        compress(GivenItems(rows * scale, Modality.VECTOR), create("vectors"), tmp_path / f"{scale:g}.nby")
        for scale in (np.float32(1), np.float32(1e30))
    ]
    assert made[1].error / made[0].error == pytest.approx(1e60, rel=0.05)
    assert made[1].bytes_per_item == pytest.approx(made[0].bytes_per_item, rel=0.05)


def test_every_id_is_one_line_of_the_list(path, encoder):
    pictures = Pictures(1)
    pictures.items = [Item(id, pictures.items[0].content) for id in ("a\nb", "plain name", "\x1b[31mred")]
    compress(pictures, encoder, path)
    with CompressedItems(path) as items:
        assert ids_lines(items) == ["0  $'a\\u000ab'", "1  plain name", "2  $'\\u001b[31mred'"]
    made = compress(Pictures(1), encoder, path, fresh=True)
    assert compressed_lines(made)[0].startswith("1 item by pixels+pca:4: ")


def test_files_of_vectors(tmp_path, path):
    compress(Vectors(20), create("pca:4"), path, items_per_chunk=PER_CHUNK)
    with CompressedItems(path) as items:
        decompress(items, tmp_path / "all")
        right = [item.content for item in items]
    np.testing.assert_array_equal(np.load(tmp_path / "all" / VECTORS), np.array(right))
    data = bytearray(path.read_bytes())
    with CompressedItems(path) as items:
        at = items.reader.stream_start("codes")
    data[at] ^= 1
    path.write_bytes(data)
    with CompressedItems(path) as items:
        written = decompress(items, tmp_path / "rest")
    np.testing.assert_array_equal(np.load(tmp_path / "rest" / VECTORS), np.array(right[8:]))
    with pytest.raises(ArtifactError, match="8 of 20 items are lost; the rest is in"):
        written.require_whole()


def test_sounds(tmp_path, path):
    from encoders.sound import Sound
    from retrieval.applications.compression.held_out import Listed

    rng = np.random.default_rng(0)
    tones = [np.sin(np.arange(3000) * pitch) * 8000 for pitch in rng.uniform(0.1, 0.5, 12)]
    corpus = Listed("tones", Modality.SOUND, [Item(f"t{row}", Sound(tone.astype(np.int16), 8000)) for row, tone in enumerate(tones)])  # fmt: skip
    made = compress(corpus, create("log-mel:16,frames=16+pca:4"), path, CompressionTarget(bits=3))
    assert made.error < 4 * made.own_error + 5
    with CompressedItems(path) as items:
        assert items[3].content.rate == 8000
        decompress(items, tmp_path / "out", ["@t3", "5"])
    assert sorted(os.listdir(tmp_path / "out")) == [LIST, "t3.wav", "t5.wav"]
    assert (tmp_path / "out" / "t3.wav").read_bytes().startswith(b"RIFF")


def test_hostile_and_equal_ids_stay_in_the_folder(tmp_path, encoder, path):
    ids = ["../out", "/etc/x", "a/../../b", "", "nul", "a", "a", "A", "a/b", "ä" * 300, "x\x00y", "item-3", ".git", "c.png",
           "c.jpg", "d.", "\ud800"]  # fmt: skip
    corpus = Pictures(len(ids))
    corpus.items = [Item(id, item.content) for id, item in zip(ids, corpus.items, strict=True)]
    compress(corpus, encoder, path)
    (tmp_path / "room").mkdir()
    with CompressedItems(path) as items:
        decompress(items, tmp_path / "room" / "out")
    assert os.listdir(tmp_path / "room") == ["out"]
    lines = [json.loads(line) for line in (tmp_path / "room" / "out" / LIST).read_text().splitlines()]
    assert [line["id"] for line in lines] == ids
    files = [line["file"] for line in lines]
    assert len(set(files)) == len(ids)
    assert all((tmp_path / "room" / "out" / file).is_file() for file in files)
    assert safe_name("a\\b") is None


def test_items_that_do_not_exist(tmp_path, encoder, path):
    compress(Pictures(20), encoder, path)
    with CompressedItems(path) as items:
        for wrong in ("20", "-1", "@cats/99.jpg", "cats/1.jpg", "", "1e99", "@"):
            with pytest.raises(QueryError):
                decompress(items, tmp_path / "out", [wrong])
        for wrong in (-1, 20):
            with pytest.raises(QueryError, match="numbered from 0"):
                items[wrong]
    assert not (tmp_path / "out").exists()


def test_random_access_reads_its_chunk_alone(path, encoder, monkeypatch):
    compress(Pictures(30), encoder, path, items_per_chunk=PER_CHUNK)
    with CompressedItems(path) as items:
        read, chunk = [], type(items.reader).chunk
        monkeypatch.setattr(
            type(items.reader),
            "chunk",
            lambda self, stream, number: (read.append((stream, number)), chunk(self, stream, number))[1],
        )
        assert items[17].position == 17
    assert sorted(read) == [("codes", 2), ("ids", 2)]


def test_chunks_of_another_method_or_quantiser(path, encoder):
    from retrieval.applications.compression.nby_writer import open_writer

    with open_writer(path, "from-the-future") as writer:
        writer.add_chunk({"codes": b""}, 1)
    with CompressedItems(path) as items, pytest.raises(ArtifactError, match="does not know: install a newer"):
        items[0]
    with open_writer(path, "quantized", fresh=True) as writer:
        writer.add_chunk({"codes": b""}, 1)
    with CompressedItems(path) as items, pytest.raises(ArtifactError, match="which encoder it needs"):
        items[0]


def test_a_chunk_that_is_whole_but_wrong(path, encoder):
    """Checksums protect against damage, not against a hostile writer: its chunk is an error as well."""
    from retrieval.applications.compression.encoder_section import packed
    from retrieval.applications.compression.nby_writer import open_writer
    from retrieval.applications.compression.quantized import METHOD, TABLES

    compress(Pictures(), encoder, path)
    with CompressedItems(path) as items:
        tables = items.reader.section(TABLES)
    section, identity = packed(encoder)
    for wrong in (b"x" * 500, b"\xff" * 64):
        with open_writer(path, METHOD, fresh=True) as writer:
            writer.add_section(SECTION, section)
            writer.add_section(TABLES, tables)
            writer.description = {"encoder": identity}
            writer.add_chunk({"codes": wrong}, 3)
        with CompressedItems(path) as items, pytest.raises(DamagedChunkError, match="cannot be decoded"):
            items[0]


def test_sources(tmp_path):
    from retrieval.collection.indexing import index_corpus

    saved = create("pixels+pca:2").fit(open_corpus("digits").batches()).save(tmp_path / "saved")
    folder = tmp_path / "collection"
    index_corpus(folder, open_corpus("digits"), ["pixels+pca:3", "pixels+pca:2"])
    for address, spec, found in [
        ("digits", "pixels+pca:5", "pixels+pca:5"),
        ("digits", str(saved), "pixels+pca:2"),
        (str(folder), "pixels+pca:3", "pixels+pca:3"),
        (str(folder), str(saved), "pixels+pca:2"),
    ]:
        corpus, chosen = read_source(address, spec)
        assert str(chosen) == found
        assert corpus.size == 1797
    for address, spec, sentence in [
        ("digits", None, "name a space that can be decoded"),
        (str(folder), None, "has the spaces"),
        ("digits", str(tmp_path), "is not a saved encoder"),
        ("digits", str(tmp_path / "missing"), "there is no folder"),
    ]:
        with pytest.raises(NearbyError, match=sentence):
            read_source(address, spec)
    shutil.rmtree(folder)


def test_rows_of_a_table_are_refused_before_the_fit(tmp_path):
    with pytest.raises(NotInvertibleError, match="reads rows of a table, which cannot be compressed"):
        compress(open_corpus("breast-cancer"), create("columns+pca:3"), tmp_path / "x.nby")
    assert not (tmp_path / "x.nby").exists()


def test_chunks_that_would_not_fit_into_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.applications.compression.compressed_file.MAX_DECODED_BYTES", 4 * 64 * 100)
    with pytest.raises(OptionError, match=r"items of this size need .* lower --chunk to 100 or less"):
        compress(open_corpus("digits"), create("pixels+pca:3"), tmp_path / "x.nby")
    with pytest.raises(OptionError, match="lower --chunk to 100 or less"):
        compress_lossless(open_corpus("digits"), create("pixels+vae:4-2,loss=beta-binomial"), tmp_path / "x.nby")
    wide, refused = r"an item only 36", r"codes of this size need .* lower --chunk to 32 or less"
    with pytest.warns(UserWarning, match=wide), pytest.raises(OptionError, match=refused):
        compress(Pictures(), create("pixels+deep-ae:200,epochs=1"), tmp_path / "x.nby", items_per_chunk=100)


def test_a_code_that_would_not_fit_into_memory_is_refused_before_it_is_decoded(path):
    """A few kilobytes that ask for 16 GiB: items of nothing, each with a very wide code."""
    from retrieval.applications.compression.encoder_section import packed
    from retrieval.applications.compression.nby_writer import open_writer
    from retrieval.applications.compression.quantized import METHOD, TABLES

    dim = 256 * 256
    section, identity = packed(create("pixels").fit(np.zeros((1, 256, 256), np.uint8)))
    nothing = np.zeros(dim, np.float32)
    none = (np.empty(0, np.int64),) * dim, (np.empty(0, np.int8),) * dim
    tables = Quantizer(nothing, nothing, nothing, np.zeros(dim, np.int32), *none).to_bytes()
    with open_writer(path, METHOD, 2**16) as writer:
        writer.add_section(SECTION, section)
        writer.add_section(TABLES, tables)
        writer.description = {"encoder": identity}
        writer.add_chunk({"codes": b""}, 2**16)
    assert path.stat().st_size < 2**20
    with CompressedItems(path) as items, pytest.raises(ArtifactError, match=r"chunk 1 holds 65,536 items of 262,144 "):
        items[0]


def test_an_encoder_inside_has_the_digest_that_the_file_says(path, encoder):
    from retrieval.applications.compression.encoder_section import packed
    from retrieval.applications.compression.nby_writer import open_writer
    from retrieval.applications.compression.quantized import METHOD

    section, _ = packed(encoder)
    _, other = packed(create("pixels+pca:3").fit(Pictures().batches()))
    with open_writer(path, METHOD) as writer:
        writer.add_section(SECTION, section)
        writer.description = {"encoder": other}
        writer.add_chunk({"codes": b""}, 3)
    with CompressedItems(path) as items, pytest.raises(ArtifactError, match=r"its digest is .*, the file needs"):
        items[0]


def test_a_chunk_that_says_4_gib_takes_no_more_memory_than_the_file(path, encoder, monkeypatch):
    compress(Pictures(), encoder, path, items_per_chunk=PER_CHUNK)
    asked = []
    with CompressedItems(path) as items:
        monkeypatch.setattr(items.reader, "_file", _Asked(items.reader._file, asked))
        items.reader._read_at(0, 2**32)
    assert asked == [path.stat().st_size]


class _Asked:
    """A file that notes how many bytes are asked for."""

    def __init__(self, file, asked):
        self.file, self.asked = file, asked

    def seek(self, position):
        self.file.seek(position)

    def read(self, size):
        self.asked.append(size)
        return self.file.read(size)

    def close(self):
        self.file.close()
