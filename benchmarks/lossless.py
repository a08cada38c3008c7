"""How many bits a pixel of MNIST costs without loss: a variational autoencoder with bits back beside bz2, PNG, WebP.

Two parts: ``binarised`` (each pixel 1 with the probability of its grey level, once, as in `likelihood.py`), ``grey``.
The autoencoder is fitted on the 60,000 training pictures; all 10,000 test pictures are compressed into a file. Its
bits per pixel count every byte of the file except the encoder; the bytes of the encoder, and how many pictures it takes
until file and encoder together are smaller than bz2, stand beside them. The file is decoded by another process, which
is kept from the vector instructions of the processor; every pixel is compared.

``times`` measures how long PNG and WebP by Pillow take for the same pictures one by one; it needs no fit.

Run: ``NEARBY_DATA=... python benchmarks/lossless.py [binarised | grey | times] [SPEC] [seed=N ...]``
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from likelihood import binarised
from mnist import read
from PIL import Image
from record import nothing_else, record, say, seeded, seeds_of, timed

from encoders.registry import create
from retrieval.applications.compression.encoder_section import SECTION, packed
from retrieval.applications.compression.lossless import METHOD, write_bits_back
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer
from retrieval.corpora.base import Item

SPECS = {
    "binarised": "vae:500-500-50,epochs=200,minutes=15,batch-size=200",
    "grey": "vae:500-500-50,loss=beta-binomial,epochs=200,minutes=25,batch-size=200",
}
#: Townsend, Bird & Barber, ICLR 2019, table 2.
PUBLISHED = {"binarised": 0.19, "grey": 1.41}
PER_CHUNK = 1000
TIMES = "times"
CODECS: dict[str, dict[str, Any]] = {"PNG": {"optimize": True}, "WebP": {"lossless": True, "quality": 100, "method": 6}}
DECODE = """
import sys, numpy as np
from pathlib import Path
from retrieval.applications.compression.lossless import open_bits_back
from retrieval.applications.compression.nby_reader import open_reader
with open_reader(Path(sys.argv[1])) as reader:
    decoder = open_bits_back(reader)
    np.save(sys.argv[2], np.concatenate([decoder.decode(reader, chunk) for chunk in range(reader.header.chunks)]))
"""
OTHER_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_ICL AVX512_SPR AVX2 FMA3",
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "1",
}


def main(*arguments: str) -> None:
    """Measure the parts asked for, or both."""
    seeds, words = seeds_of(arguments)
    parts = [word for word in words if word in SPECS]
    specs = [word for word in words if word.startswith("vae:")]
    nothing_else([word for word in words if word not in (*parts, *specs, TIMES)])
    if specs and len(parts) != 1:
        raise SystemExit("a spec needs the part that it is for: binarised or grey")
    if TIMES in words or not words:
        record("lossless_times", {part: codec_times(pictures(part, "test", 1)[:1000]) for part in SPECS})
    for part in parts or ([] if TIMES in words else SPECS):
        for seed in seeds:
            measure(part, (specs or [SPECS[part]])[0], seed)


def measure(part: str, spec: str, seed: int) -> None:
    train, test = pictures(part, "train", 0), pictures(part, "test", 1)
    encoder: Any = create(seeded(f"pixels+{spec}", seed))
    with timed() as fitting:
        encoder.fit(train)
    epochs = len(encoder.parts[1].history.seconds)
    say(part, "fitted", epochs, "epochs, bound", min(encoder.parts[1].history.validation_loss))
    rows = encoder.parts[0].encode(test)
    bound = -float(encoder.parts[1].elbo(rows, draws=20).mean()) / test[0].size / math.log(2)
    figures = {
        "part": part, "spec": spec, "seed": seed, "epochs": epochs, "fit_seconds": fitting.value,
        "published": PUBLISHED[part], "bound": bound, "pictures": len(test), "per_chunk": PER_CHUNK,
        **compressed(encoder, test), "untrained": untrained(part, spec, train, test), "peers": peers(test),
    }  # fmt: skip
    best = figures["peers"]["bz2"]
    saved = (best - figures["bits_per_pixel"]) * test[0].size / 8
    figures["break_even_with_bz2"] = math.ceil(figures["encoder_bytes"] / saved) if saved > 0 else None
    say(figures)
    record("lossless", figures)


def pictures(part: str, split: str, seed: int) -> Any:
    """Return pictures uint8 (n, 28, 28); binarised ones are 0 and 255."""
    grey = read(split)[0]
    return (binarised(grey, seed) * 255).astype(np.uint8).reshape(grey.shape) if part == "binarised" else grey


def compressed(encoder: Any, test: Any) -> dict[str, Any]:
    """Return bits per pixel, bytes of the encoder and times of a file; raise if any pixel differs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.nby"
        with timed() as compressing, open_writer(path, METHOD, PER_CHUNK) as writer:
            section, identity = packed(encoder)
            writer.add_section(SECTION, section)
            writer.description = {"encoder": identity}
            write_bits_back(writer, encoder, (Item(str(row), picture) for row, picture in enumerate(test)))
        with timed() as decompressing, open_reader(path):
            whole = {**os.environ, **OTHER_PROCESSOR, "PYTHONWARNINGS": "ignore"}
            subprocess.run([sys.executable, "-c", DECODE, str(path), f"{folder}/decoded.npy"], env=whole, check=True)
        if not np.array_equal(np.load(f"{folder}/decoded.npy"), test):
            raise AssertionError("another process decoded other pixels")
        net = path.stat().st_size - len(section)
    return {
        "bits_per_pixel": net * 8 / test.size,
        "encoder_bytes": len(section),
        "compress_ms": 1e3 * compressing.value / len(test),  # with its own check
        "decompress_ms": 1e3 * decompressing.value / len(test),  # another process, start included
    }


def untrained(part: str, spec: str, train: Any, test: Any) -> float:
    """Return the bits per pixel of the network before it has learnt anything, on a thousand pictures."""
    options = ",epochs=1,learning-rate=1e-12"
    kept = ",".join(word for word in spec.split(",") if not word.startswith(("epochs=", "minutes=", "learning-rate=")))
    encoder = create(f"pixels+{kept}{options}").fit(train[:2000])
    return float(compressed(encoder, test[:1000])["bits_per_pixel"])


def peers(test: Any) -> dict[str, float]:
    """Return the bits per pixel of other programs: all pictures in one stream, in one large picture, or one by one."""
    binary = bool((test % 255 == 0).all())
    stream = (np.packbits(test > 0) if binary else test).tobytes()
    sheet = test.reshape(100, -1, 28, 28).transpose(0, 2, 1, 3).reshape(2800, -1)
    streams: dict[str, Callable[[bytes], bytes]] = {"bz2": bz2.compress, "gzip": gzip.compress, "xz": lzma.compress}
    found = {name: 8 * len(function(stream)) / test.size for name, function in streams.items()}
    for name, options in CODECS.items():
        found[f"{name}, one large picture"] = 8 * len(saved(sheet, name, binary, options)) / test.size
        some = test[:1000]
        found[f"{name}, one by one"] = 8 * sum(len(saved(one, name, binary, options)) for one in some) / some.size
    return found


def codec_times(test: Any) -> dict[str, dict[str, float]]:
    """Return the milliseconds that PNG and WebP take to compress and to decompress a picture, one by one."""
    binary, found = bool((test % 255 == 0).all()), {}
    for name, options in CODECS.items():
        with timed() as compressing:
            files = [saved(one, name, binary, options) for one in test]
        with timed() as decompressing:
            for file in files:
                np.asarray(Image.open(io.BytesIO(file)))
        found[name] = {
            "compress_ms": 1e3 * compressing.value / len(test),
            "decompress_ms": 1e3 * decompressing.value / len(test),
        }
    return found


def saved(picture: Any, kind: str, binary: bool, options: dict[str, Any]) -> bytes:
    image = Image.fromarray(picture)
    file = io.BytesIO()
    (image.convert("1") if binary and kind == "PNG" else image).save(file, kind, **options)
    return file.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
