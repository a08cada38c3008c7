"""Pictures of every sort become one size, one set of colours and 8 bits a value, and stay apart."""

import io
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from encoders.errors import CorpusError, OptionError
from retrieval.corpora import image_file
from retrieval.corpora.image_preprocessing import Preprocessing
from retrieval.corpora.images import Images, decode_image, read_image
from retrieval.corpora.registry import open_corpus

RNG = np.random.default_rng(0)
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
COLOUR = np.stack([GREY, GREY + 50, GREY + 100], axis=2)


def encoded(array, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def write(path, contents):
    """Write files as a folder, tar or zip, by the name of the path."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, raw in contents.items():
                archive.writestr(name, raw)
        return path
    if ".tar" in path.name:
        with tarfile.open(path, f"w:{path.suffix[1:].replace('tar', '')}") as archive:
            for name, raw in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(raw)
                archive.addfile(member, io.BytesIO(raw))
        return path
    for name, raw in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(raw)
    return path


def png_16(values, alpha=None):
    """Write a 16-bit colour PNG, which Pillow does not."""
    stored = values if alpha is None else np.dstack([values, alpha])
    height, width, channels = stored.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in stored)

    def chunk(kind, raw):
        return struct.pack(">I", len(raw)) + kind + raw + struct.pack(">I", zlib.crc32(kind + raw))

    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff_16(values, order):
    """Write a 16-bit colour TIFF, which Pillow does not."""
    height, width, _ = values.shape
    raw = values.astype(f"{order}u2").tobytes()
    bits_at = 8 + 2 + 12 * 9 + 4
    entries = (
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, bits_at + 6), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, len(raw)),
    )  # fmt: skip
    told = b"".join(
        struct.pack(f"{order}HHI", tag, kind, count)
        + (struct.pack(f"{order}I", value) if kind == 4 or count > 1 else struct.pack(f"{order}HH", value, 0))
        for tag, kind, count, value in entries
    )
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return start + told + struct.pack(f"{order}IHHH", 0, 16, 16, 16) + raw


def contents(address):
    return [item.content for item in open_corpus(str(address))]


def distinct(pictures):
    return len({picture.tobytes() for picture in pictures})


# -- formats -----------------------------------------------------------------------------------------------------


def test_every_ending_of_pillow_is_read_or_left_out_on_purpose():
    """A new version of Pillow with a new format fails here: read it, or name it below."""
    Image.init()
    readable = {suffix: kind for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    on_purpose = {"EPS", "BUFR", "GRIB", "HDF5", "MPEG", "WMF"}
    assert {kind for suffix, kind in readable.items() if suffix not in image_file.SUFFIXES} == on_purpose
    assert set(image_file.FORMATS) <= set(Image.OPEN)


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("jfif", "JPEG"), ("avif", "AVIF"), ("jp2", "JPEG2000"), ("tga", "TGA"), ("ico", "ICO"), ("webp", "WEBP"),
     ("qoi", "QOI"), ("pcx", "PCX"), ("sgi", "SGI"), ("dds", "DDS")],
)  # fmt: skip
def test_endings_that_used_to_be_passed_over(tmp_path, suffix, kind):
    picture = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    write(tmp_path / "p", {f"1.{suffix}": encoded(picture, kind), "2.png": encoded(picture)})
    first, second = contents(tmp_path / "p")
    assert first.shape == second.shape == (16, 16, 3)


def test_files_that_are_not_read_are_counted_in_one_line(tmp_path, capsys):
    path = write(tmp_path / "p", {"a/1.png": encoded(GREY), "a/notes.txt": b"text", "a/x.heic": b"", ".x.png": b""})
    (path / "a" / "gone.png").symlink_to("nowhere.png")
    (path / "linked").symlink_to(write(tmp_path / "elsewhere", {"2.png": encoded(GREY)}))
    corpus = open_corpus(str(path))
    for _ in range(2):  # further passes count nothing twice
        assert [(item.id, item.label) for item in corpus] == [("a/1.png", "a"), ("linked/2.png", "linked")]
    assert capsys.readouterr().err == (
        f"{path}: 4 files are not read: 2 are not a picture (e.g. a/notes.txt), 1 is hidden (.x.png), "
        "1 is behind a broken link (a/gone.png)\n"
    )


@pytest.mark.parametrize("name", ["p.tar", "p.tar.gz", "p.zip"])
def test_what_is_not_read_of_an_archive_is_counted(tmp_path, name, capsys):
    path = write(tmp_path / name, {"a/1.png": encoded(GREY), "notes": b"text", "a/2.avif": encoded(COLOUR, "AVIF")})
    corpus = open_corpus(str(path))
    assert len(list(corpus)) == 2
    assert "1 file is not read: 1 is not a picture (notes)\n" in capsys.readouterr().err


def test_a_file_of_another_part_is_not_missed(tmp_path, capsys):
    path = write(tmp_path / "p", {"train/1.png": encoded(GREY), "dev/2.txt": b"text", "train/3.txt": b"text"})
    assert len(list(open_corpus(f"{path}?part=train"))) == 1
    assert capsys.readouterr().err == f"{path}: 1 file is not read: 1 is not a picture (train/3.txt)\n"


def test_a_file_with_a_rare_ending_makes_no_folder_of_texts_one_of_pictures(tmp_path):
    path = write(
        tmp_path / "t", {"a.txt": b"one", "b.txt": b"two", "plan.fit": b"three", "c.im": b"four", "d.txt": b"five"}
    )
    assert str(open_corpus(str(path)).modality) == "text"
    assert str(open_corpus(str(write(tmp_path / "p", {"a.sgi": b"", "b.sgi": b"", "c.txt": b""}))).modality) == "image"
    assert str(open_corpus(str(write(tmp_path / "q", {"a.jfif": b"", "b.txt": b"", "c.txt": b""}))).modality) == "image"


# -- sizes and colours -------------------------------------------------------------------------------------------


def test_a_mixed_folder_is_fitted_and_said(tmp_path, capsys):
    sizes = [(30, 20), (20, 30), (40, 40), (24, 26), (50, 20), (28, 22), (22, 90)]
    pictures = {
        f"{n}.png": encoded(RNG.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)) for n, size in enumerate(sizes)
    }
    pictures["grey.png"] = encoded(RNG.integers(0, 256, (30, 20), dtype=np.uint8))
    path = write(tmp_path / "p", pictures)
    corpus = open_corpus(str(path))
    items = list(corpus)
    assert len(items) == 8
    assert {item.content.shape for item in items} == {(22, 22, 3)}
    assert capsys.readouterr().err == (
        f"{path}: 8 pictures of 7 sizes: resized to 22x22 by crop, colour (1 are grey); "
        "change that with ?size=, ?fit= and ?grey=\n"
    )
    assert corpus.name == f"{path}?size=22x22&fit=crop&grey=false"
    again = open_corpus(corpus.name)  # the name says all that was chosen
    assert [item.content.tobytes() for item in again] == [item.content.tobytes() for item in items]
    assert capsys.readouterr().err == ""


def test_the_size_that_most_have_is_kept(tmp_path, capsys):
    pictures = {f"{n}.png": encoded(RNG.integers(0, 256, (6, 8), dtype=np.uint8)) for n in range(5)}
    path = write(tmp_path / "p", {**pictures, "odd.png": encoded(GREY.T.copy())})
    assert {content.shape for content in contents(path)} == {(6, 8)}
    capsys.readouterr()
    corpus = open_corpus(str(write(tmp_path / "q", pictures)))
    assert len(list(corpus)) == 5
    assert capsys.readouterr().err == ""
    assert corpus.name == str(tmp_path / "q")


def test_size_grey_and_fit_are_options(tmp_path):
    path = write(tmp_path / "p", {"1.png": encoded(GREY), "2.png": encoded(COLOUR[:4])})
    for fit in ("crop", "pad", "stretch"):
        assert [content.shape for content in contents(f"{path}?size=4x3&grey=true&fit={fit}")] == [(3, 4), (3, 4)]
    assert [content.shape for content in contents(f"{path}?size=4x3&grey=false")] == [(3, 4, 3), (3, 4, 3)]
    for size in ("4", "0x3", "4x0", "axb", "4x3x3"):
        with pytest.raises(OptionError, match="size should be WIDTHxHEIGHT"):
            open_corpus(f"{path}?size={size}")
    for wrong, message in (("grey=perhaps", "grey should be true or false"), ("fit=squeeze", "crop, pad, stretch")):
        with pytest.raises(OptionError, match=message):
            open_corpus(f"{path}?{wrong}")


def test_fits():
    wide = np.zeros((4, 12), np.uint8)
    wide[:, 4:8] = 200
    raw = encoded(wide)
    assert (decode_image(raw, Preprocessing((4, 4), True, "crop")) == 200).all()
    padded = decode_image(raw, Preprocessing((12, 12), True, "pad"))
    assert (padded[4:8] == wide).all()
    assert not padded[:4].any()
    assert not padded[8:].any()
    assert decode_image(raw, Preprocessing((12, 8), True, "stretch"))[0, 6] == 200


def test_grey_joins_pictures_in_colour_whatever_the_order(tmp_path):
    for first, second in ((COLOUR, GREY), (GREY, COLOUR)):
        path = write(tmp_path / str(first.ndim), {"1.png": encoded(first), "2.png": encoded(second)})
        for found, given in zip(contents(path), (first, second), strict=True):
            assert (found == (given if given.ndim == 3 else given[:, :, None])).all()


# -- values of more than 8 bits ------------------------------------------------------------------------------------


def deep_pictures():
    """Three low pictures in each way of storing more than 8 bits a value."""
    low = RNG.integers(0, 230, (3, 6, 8))
    low[0, 0, :2] = 0, 229
    colour = RNG.integers(0, 230, (3, 6, 8, 3))
    yield "16-bit PNG", [encoded(one.astype(np.uint16)) for one in low], "png"
    yield "16-bit TIFF", [encoded(one.astype(np.uint16), "TIFF") for one in low], "tif"
    yield "32-bit TIFF", [encoded(one.astype(np.int32), "TIFF") for one in low], "tif"
    yield "float TIFF", [encoded((one / 1000).astype(np.float32), "TIFF") for one in low], "tif"
    yield "negative floats", [encoded((one - 100.0).astype(np.float32), "TIFF") for one in low], "tif"
    yield "16-bit PGM", [b"P5 8 6 65535\n" + one.astype(">u2").tobytes() for one in low], "pgm"
    yield "16-bit colour PNG", [png_16(one) for one in colour], "png"
    yield "16-bit colour TIFF, little", [tiff_16(one, "<") for one in colour], "tif"
    yield "16-bit colour TIFF, big", [tiff_16(one, ">") for one in colour], "tif"


@pytest.mark.parametrize(
    ("raws", "suffix"), [pytest.param(raws, suffix, id=name) for name, raws, suffix in deep_pictures()]
)
def test_low_values_stay_apart_in_every_depth(tmp_path, raws, suffix, capsys):
    path = write(tmp_path / "p", {f"{n}.{suffix}": raw for n, raw in enumerate(raws)})
    corpus = open_corpus(str(path))
    pictures = [item.content for item in corpus]
    assert distinct(pictures) == 3
    assert min(picture.min() for picture in pictures) < 5
    assert max(picture.max() for picture in pictures) > 250
    assert capsys.readouterr().err.count("becomes black") == 1
    assert "white=" in corpus.name
    again = open_corpus(corpus.name)
    assert [item.content.tobytes() for item in again] == [picture.tobytes() for picture in pictures]


def test_the_whole_range_of_16_bits_is_kept_where_it_is_used():
    whole = (np.arange(48, dtype=np.uint16) * 1394).reshape(6, 8)
    assert (decode_image(encoded(whole)) == np.rint(whole / 257)).all()
    assert (decode_image(encoded(GREY.astype(np.uint16) * 257 + np.uint16(40_000 * (GREY > 40)))) >= 0).all()


def test_16_bit_colours_are_read_to_their_last_bit():
    colour = RNG.integers(0, 65_536, (5, 7, 3), dtype=np.uint16)
    for raw in (png_16(colour), tiff_16(colour, "<"), tiff_16(colour, ">")):
        assert (image_file.decode(raw).values == colour).all()
        assert image_file.read_header(io.BytesIO(raw)) == ((7, 5), False, True)
    clear = np.zeros((5, 7), np.uint16)
    assert (decode_image(png_16(colour, clear)) == 255).all()  # on white


def test_white_and_black_are_options(tmp_path):
    path = write(tmp_path / "p", {"1.png": encoded(np.array([[0, 100, 2048, 4095, 9000]], np.uint16))})
    assert contents(f"{path}?white=4095")[0].tolist() == [[0, 6, 128, 255, 255]]
    assert contents(f"{path}?white=4095&black=100")[0].tolist() == [[0, 0, 124, 255, 255]]
    with pytest.raises(OptionError, match="white=10 should be above black=20"):
        open_corpus(f"{path}?white=10&black=20")


def test_pictures_that_a_bright_one_makes_even_are_counted(tmp_path, capsys):
    dim = [encoded(np.array([[10, 20 + n]], np.uint16)) for n in range(3)]
    path = write(
        tmp_path / "p",
        {"hot.png": encoded(np.array([[0, 65_535]], np.uint16)), **{f"{n}.png": raw for n, raw in enumerate(dim)}},
    )
    assert len(list(open_corpus(str(path)))) == 4
    assert ": 3 of 4 pictures of more than 8 bits per value become a uniform grey" in capsys.readouterr().err
    assert distinct(contents(f"{path}?white=40")[:3]) == 3


# -- single pictures ---------------------------------------------------------------------------------------------


def test_modes():
    assert decode_image(encoded(GREY)).shape == (6, 8)
    assert decode_image(encoded(GREY > 20)).max() == 255  # 1 bit
    clear = np.zeros((2, 2, 4), dtype=np.uint8)
    assert (decode_image(encoded(clear)) == 255).all()  # transparent: on white
    palette = io.BytesIO()
    Image.fromarray(COLOUR).quantize(16).save(palette, "GIF")
    assert decode_image(palette.getvalue()).shape == (6, 8, 3)
    for mode in ("CMYK", "YCbCr", "LAB"):
        stored = io.BytesIO()
        Image.new(mode, (8, 6)).save(stored, "TIFF")
        assert decode_image(stored.getvalue()).shape == (6, 8, 3)


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(encoded(COLOUR, "JPEG", exif=exif)).shape == (8, 6, 3)


def test_decompression_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    (tmp_path / "bomb.png").write_bytes(encoded(GREY))  # 48 pixels: Pillow only warns
    with pytest.raises(CorpusError, match=r"bomb\.png has more than 40 pixels, the limit"):
        read_image(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(CorpusError, match="has more than 20 pixels, the limit"):
        read_image(tmp_path / "bomb.png")


def test_missing_picture(tmp_path):
    with pytest.raises(CorpusError, match=r"nowhere\.png cannot be read"):
        read_image(tmp_path / "nowhere.png")


def test_the_head_of_a_picture_lying_on_its_side_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert image_file.read_header(io.BytesIO(encoded(COLOUR, "JPEG", exif=exif))).size == (6, 8)


def test_only_unreadable_pictures(tmp_path):
    path = write(tmp_path / "p", {"1.png": b"no picture"})
    with pytest.raises(CorpusError, match=r"1\.png is not a picture that nearby can read"):
        list(open_corpus(str(path)))
    with pytest.raises(CorpusError, match="holds no items"):
        list(open_corpus(str(path), on_bad=lambda error: None))


def test_nothing_is_surveyed_where_all_is_said(tmp_path, monkeypatch):
    path = write(tmp_path / "p", {"1.png": encoded(GREY)})
    monkeypatch.setattr("retrieval.corpora.images.read_header", None)
    corpus = Images(path, "p", size_="4x4", grey=True, white=255.0)
    assert [item.content.shape for item in corpus] == [(4, 4)]
    assert corpus.name == "p"


def test_a_wrong_option_is_refused_before_the_pictures_are_looked_at(tmp_path, capsys):
    path = write(tmp_path / "p", {"1.png": encoded(GREY), "2.png": encoded(COLOUR[:4])})
    with pytest.raises(OptionError, match="images: fit is one of crop, pad, stretch; got 'foo'"):
        open_corpus(f"{path}?fit=foo")
    assert capsys.readouterr().err == ""


def test_a_folder_with_a_question_mark_states_its_options_too(tmp_path):
    path = write(tmp_path / "what?", {"1.png": encoded(GREY), "2.png": encoded(GREY[:4])})
    name = open_corpus(str(path)).name
    assert name.startswith(f"{path}?size=")
    assert open_corpus(name).preprocessing.size == open_corpus(str(path)).preprocessing.size
