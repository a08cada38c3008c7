"""Ways to damage a file: by bytes, by the words of its format, and by what stands in its place in the file system."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import random
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

#: Whole numbers at which sizes and offsets go wrong.
NUMBERS = [0, 1, -1, 127, 255, 2**15, 2**16 - 1, 2**31 - 1, -(2**31), 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1]
#: Pieces of text that parsers stumble over, for all formats.
TOKENS = [
    b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b"\x80\x81", b"\r", b"\n", b"\r\n", b"\t",
    b",", b";", b'"', b"'", b"\\", b"\x1a", b"\x1b[31m", b"\xe2\x80\xa8", b"\xc2\x85", b"NaN", b"nan", b"Infinity",
    b"-Infinity", b"inf", b"1e999", b"-1e999", b"1e-400", b"-0", b"-1", b"0", b"1_000", b"\xd9\xa3", b"99999999999999999999",
    b"9" * 400, b"9" * 5000, b"0x10", b"1.5", b"true", b"null", b"{}", b"[]", b'{"a":', b"[" * 100_000, b'{"a":' * 50_000,
    b'"\\ud800"', b"\\ud800", b"a" * 70_000, b"\xf0\x9f\x98\x80" * 50, b"(" * 3000, b"%s%n", b"../../../etc/passwd", b"/dev/zero",
    b"|O", b"object", b"<f8", b"(99999999999, 99999999)", b"(-1, 4)", b"True",
]  # fmt: skip
Mutation = Callable[[bytes, random.Random], bytes]


def _place(raw: bytes, rng: random.Random) -> int:
    """Headers and footers are damaged as often as all that is between them."""
    if not raw:
        return 0
    where = rng.random()
    if where < 0.35:
        return rng.randrange(min(len(raw), 128))
    if where < 0.5:
        return len(raw) - 1 - rng.randrange(min(len(raw), 64))
    return rng.randrange(len(raw))


def flip(raw: bytes, rng: random.Random) -> bytes:
    if not raw:
        return b"\x01"
    damaged = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        damaged[_place(raw, rng)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def set_bytes(raw: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(raw)
    for _ in range(rng.choice((1, 2, 4))):
        if damaged:
            damaged[_place(raw, rng)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(damaged)


def truncate(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.choice((0, 1, _place(raw, rng), _place(raw, rng), max(0, len(raw) - 1)))]


def remove(raw: bytes, rng: random.Random) -> bytes:
    start = _place(raw, rng)
    return raw[:start] + raw[start + rng.choice((1, 2, 4, 8, 64, 512)) :]


def duplicate(raw: bytes, rng: random.Random) -> bytes:
    start = _place(raw, rng)
    piece = raw[start : start + rng.choice((1, 4, 16, 256))]
    return raw[:start] + piece * rng.choice((2, 3, 200)) + raw[start + len(piece) :]


def move(raw: bytes, rng: random.Random) -> bytes:
    start, length, to = _place(raw, rng), rng.choice((4, 16, 128)), _place(raw, rng)
    piece, rest = raw[start : start + length], raw[:start] + raw[start + length :]
    return rest[:to] + piece + rest[to:]


def insert_token(raw: bytes, rng: random.Random) -> bytes:
    place, token = _place(raw, rng), rng.choice(TOKENS)
    return raw[:place] + token + raw[place + (len(token) if rng.random() < 0.3 else 0) :]


def set_integer(raw: bytes, rng: random.Random) -> bytes:
    kind = rng.choice(("<i", ">i", "<q", ">q", "<h", ">h"))
    size = struct.calcsize(kind)
    number = rng.choice(NUMBERS) & (2 ** (8 * size) - 1)
    place = _place(raw, rng)
    if rng.random() < 0.5:
        place -= place % 4
    return raw[:place] + struct.pack(kind.upper(), number) + raw[place + size :]


def replace_number(raw: bytes, rng: random.Random) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?", raw[:200_000]))
    if not found:
        return insert_token(raw, rng)
    match = rng.choice(found)
    other = rng.choice(
        [str(number).encode() for number in NUMBERS] + [b"1e999", b"NaN", b"-1.5", b"1_0", b"9" * 5000, b'"7"', b"null"]
    )
    return raw[: match.start()] + other + raw[match.end() :]


def replace_line(raw: bytes, rng: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    if len(lines) < 2:
        return insert_token(raw, rng)
    place = rng.randrange(len(lines))
    lines[place] = rng.choice(
        (b"", lines[rng.randrange(len(lines))], b"\n", rng.choice(TOKENS) + b"\n", lines[place][::-1])
    )
    return b"".join(lines)


def recode(raw: bytes, rng: random.Random) -> bytes:
    return raw.decode("utf-8", errors="replace").encode(
        rng.choice(("utf-16", "utf-16-be", "utf-32", "utf-7", "utf-8-sig", "cp037", "idna" if len(raw) < 60 else "utf-16-le")),
        errors="replace",
    )  # fmt: skip


def noise(raw: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 7, 100, 5000)))


BY_BYTES: list[Mutation] = [
    flip, flip, flip, set_bytes, truncate, truncate, remove, duplicate, move, insert_token, insert_token, set_integer,
    set_integer, replace_number, replace_number, replace_line, recode, noise,
]  # fmt: skip


# -- JSON: by its tree ----------------------------------------------------------------------------------------------

_ODD: list[Any] = [
    None, True, False, -1, 0, 1, 2**31, 2**63, 2**70, 10**400, 1.5, 1e308, float("nan"), float("inf"), "", "x", "a" * 70_000,
    "\ud800", "\0", "../..", "/dev/zero", [], {}, [[]], [None], ["x"], {"x": {}}, [0] * 1000, ["a"] * 1000, "-1", "float32",
]  # fmt: skip


def json_value(raw: bytes, rng: random.Random) -> bytes:
    """Change values of a JSON file: another type, another number, a key gone, nested a hundred thousand deep."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return insert_token(raw, rng)
    deep = False
    for _ in range(rng.choice((1, 1, 2))):
        places = list(_places(value))
        if not places:
            break
        holder, key = rng.choice(places)
        what = rng.random()
        if what < 0.15:
            del holder[key]
        elif what < 0.2:
            holder[key], deep = "@deep@", True
        elif what < 0.3 and isinstance(holder, dict):
            holder[str(key) + rng.choice(("x", " ", "\0"))] = holder.pop(key)
        elif what < 0.4:
            other, from_key = rng.choice(places)
            holder[key] = json.loads(json.dumps(other[from_key])) if from_key in _keys(other) else None
        else:
            holder[key] = rng.choice(_ODD)
    text = json.dumps(value).encode("utf-8", errors="surrogatepass")
    if deep:
        text = text.replace(
            b'"@deep@"', rng.choice((b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000))
        )
    return text


def _places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for key in list(_keys(value)):
            if not (isinstance(value, list) and key > 20):
                yield value, key
                yield from _places(value[key])


def _keys(value: Any) -> Any:
    return value.keys() if isinstance(value, dict) else range(len(value))


# -- .npy: by its header --------------------------------------------------------------------------------------------

_TYPES = [
    "<f4",
    "<f8",
    "|O",
    "<U99999",
    "<i8",
    "|V8",
    "<c16",
    "|b1",
    ">f2",
    "[('a', '<f4')]",
    "",
    "f",
    "<M8[s]",
    "|S0",
    "<f4" * 500,
]
_SHAPES = [
    "(99999999999, 4)", "(-1, 4)", "(0, 4)", "()", "(4,)", "(2147483648, 2147483648)", "(True, 4)", "4", "(12, 99999999999)",
    "(0, 99999999999999)", "(" * 80 + ")" * 80, "(12, 4, 1)", "(1.0, 2)", "('a', 'b')", "(" + "1, " * 70 + ")",
    "(4611686018427387904, 4)", "(9223372036854775808, 1)",
]  # fmt: skip


def npy_header(raw: bytes, rng: random.Random) -> bytes:
    """Write another header before the numbers of a .npy file."""
    match = re.match(rb"\x93NUMPY(.)(.)", raw, re.DOTALL)
    if match is None:
        return flip(raw, rng)
    start = 10 if match[1] == b"\1" else 12
    length = int.from_bytes(raw[8:start], "little")
    descr, shape = rng.choice([*_TYPES, "<f4", "<f4", "<f4"]), rng.choice(_SHAPES)
    order = rng.choice(("True", "False", "None", "3"))
    head = (
        f"{{'descr': {descr if descr.startswith('[') else repr(descr)}, 'fortran_order': {order}, 'shape': {shape}, }}"
    )
    head = rng.choice((head, head, head, head[:-1], head + "()", "{" * 500))
    told = len(head) + 1 if rng.random() < 0.8 else rng.choice((0, 65_535, len(head) - 5))
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", told % 65_536) + head.encode() + b"\n" + raw[start + length :]


def safetensors_header(raw: bytes, rng: random.Random) -> bytes:
    """Change the JSON header of a safetensors file."""
    length = int.from_bytes(raw[:8], "little")
    head = json_value(raw[8 : 8 + length], rng)
    if rng.random() < 0.3:
        head = replace_number(head, rng)
    told = len(head) if rng.random() < 0.8 else rng.choice(NUMBERS)
    return struct.pack("<Q", told % 2**64) + head + raw[8 + length :]


def other_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """Return an array of another shape, type or content."""
    what = rng.choice(("row", "turn", "type", "nan", "large", "flat", "empty", "wide", "negative", "shuffle"))
    if what == "row" and len(array.shape):
        return array[: len(array) // 2]
    if what == "turn":
        return np.ascontiguousarray(array.T)
    if what == "type":
        return array.astype(rng.choice(("f8", "f2", "i8", "u1", "i4")))
    if what == "flat":
        return array.ravel()
    if what == "empty":
        return array[:0] if array.ndim else np.zeros(0, array.dtype)
    if what == "wide":
        return np.concatenate([array, array], axis=-1) if array.ndim else array
    changed = array.copy()
    if changed.size:
        place = rng.randrange(changed.size)
        if what == "shuffle":
            np.random.default_rng(rng.randrange(100)).shuffle(changed.reshape(-1))
        elif changed.dtype.kind == "f":
            changed.reshape(-1)[place] = {"nan": np.nan, "large": 3e38, "negative": -np.inf}[what]
        elif changed.dtype.kind in "iu":
            limits = np.iinfo(changed.dtype)
            changed.reshape(-1)[place] = {"nan": 0, "large": limits.max, "negative": limits.min}[what]
    return changed


def npy_values(raw: bytes, rng: random.Random) -> bytes:
    """Write another array, whole and right in itself."""
    array = other_array(np.load(io.BytesIO(raw), allow_pickle=False), rng)
    held = io.BytesIO()
    np.save(held, array, allow_pickle=False)
    return held.getvalue()


def tensors(raw: bytes, rng: random.Random) -> bytes:
    """Write another tensor, leave one out, or call it otherwise; the file is whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load, save

    try:
        held = load(raw)
    except SafetensorError:
        return flip(raw, rng)
    if not held:
        return flip(raw, rng)
    name = rng.choice(sorted(held))
    array = held.pop(name)
    what = rng.random()
    if what < 0.15:
        held[f"{name}x"] = array
    elif what > 0.25:
        held[name] = np.ascontiguousarray(other_array(array, rng))
    return save(held)


# -- compressed files: what is inside them --------------------------------------------------------------------------


def inside_gzip(raw: bytes, rng: random.Random) -> bytes:
    if len(raw) > 2**20:  # a bomb already
        return raw
    return gzip.compress(mutate(gzip.decompress(raw), rng), compresslevel=1, mtime=0)


def bomb_gzip(raw: bytes, rng: random.Random) -> bytes:
    """2 GB of one letter behind what was there: a letter in a thousand bytes."""
    letter = rng.choice((b"\0", b"a", b"\n", b"["))
    return raw + _bomb(letter)


_BOMBS: dict[bytes, bytes] = {}


def _bomb(letter: bytes) -> bytes:
    if letter not in _BOMBS:
        _BOMBS[letter] = gzip.compress(letter * 2**24, compresslevel=9, mtime=0) * 128
    return _BOMBS[letter]


def inside_zip(raw: bytes, rng: random.Random) -> bytes:
    """Damage a member of a zip, its name, or what the zip says of it."""
    held = io.BytesIO(raw)
    made = io.BytesIO()
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        infos = old.infolist()
        chosen = rng.choice(infos) if infos else None
        for info in infos:
            inner = old.read(info)
            if info is chosen:
                what = rng.random()
                if what < 0.7:
                    inner = mutate(inner, rng, info.filename)
                elif what < 0.8:
                    info.filename = rng.choice(
                        ("../../x.txt", "/etc/x.txt", "a/" * 2000 + "x.txt", "", "CON", "x" * 60_000, "a\0b.txt")
                    )
                elif what < 0.82:
                    inner = bytes(2**28 + 2**20)
            with _quiet():
                new.writestr(info.filename, inner)
    return made.getvalue()


def inside_tar(raw: bytes, rng: random.Random) -> bytes:
    """Damage a member of a tar, or put a link, a device, a sparse or nameless member beside it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(raw)) as old, tarfile.open(fileobj=made, mode="w") as new:
        members = [member for member in old.getmembers() if member.isfile()]
        chosen = rng.choice(members)
        for member in members:
            inner = old.extractfile(member).read()
            if member is chosen:
                if rng.random() < 0.7:
                    inner = mutate(inner, rng, member.name)
                    member.size = len(inner)
                else:
                    odd = tarfile.TarInfo(
                        rng.choice(("/dev/zero", "../../x", "a/" * 500 + "x.txt", "", "x" * 5000, "\udcff.txt"))
                    )
                    odd.type = rng.choice(
                        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.REGTYPE)
                    )
                    odd.linkname = rng.choice(("/dev/zero", chosen.name, "../../etc/passwd"))
                    new.addfile(odd)
            new.addfile(member, io.BytesIO(inner))
    return made.getvalue()


class _quiet:
    def __enter__(self) -> None:
        import warnings

        self.caught = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *raised: Any) -> None:
        self.caught.__exit__(*raised)


def inside_xz(raw: bytes, rng: random.Random) -> bytes:
    return lzma.compress(inside_tar(lzma.decompress(raw), rng), preset=0)


def inside_tar_gz(raw: bytes, rng: random.Random) -> bytes:
    return gzip.compress(inside_tar(gzip.decompress(raw), rng), compresslevel=1, mtime=0)


#: What a file of this name is damaged by, beside `BY_BYTES`.
BY_NAME: list[tuple[str, list[Mutation]]] = [
    (r"\.(tar\.gz|tgz)$", [inside_tar_gz, inside_gzip]),
    (r"\.tar\.xz$", [inside_xz]),
    (r"\.tar$", [inside_tar]),
    (r"\.gz$", [inside_gzip, inside_gzip, bomb_gzip]),
    (r"\.(zip|npz)$", [inside_zip]),
    (r"\.npy$", [npy_header, npy_values]),
    (r"\.safetensors$", [safetensors_header, tensors, tensors]),
    (r"\.json$", [json_value, json_value, json_value]),
]


def mutate(raw: bytes, rng: random.Random, name: str = "") -> bytes:
    """Damage the bytes of a file, once or a few times."""
    own = next((mutations for pattern, mutations in BY_NAME if re.search(pattern, name)), [])
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutation = rng.choice(own if own and rng.random() < 0.6 else BY_BYTES)
        try:
            raw = mutation(raw, rng)
        except Exception:
            raw = flip(raw, rng)  # damaged already so that its inside cannot be reached
    return raw


# -- the file system ------------------------------------------------------------------------------------------------


def misplace(path: Path, rng: random.Random) -> None:
    """Put something into the place of a file that is not a file."""
    what = rng.choice(("pipe", "folder", "loop", "device", "nowhere", "gone", "zero", "unreadable", "deep"))
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "loop":
        path.symlink_to(path.name)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "nowhere":
        path.symlink_to("/nowhere/at/all")
    elif what == "zero":
        path.touch()
    elif what == "unreadable":
        path.write_bytes(b"x")
        path.chmod(0)
    elif what == "deep":
        place = str(path)
        for _ in range(rng.choice((20, 1500))):
            os.mkdir(place)
            if len(place) > 3900:
                break
            place += "/d"
