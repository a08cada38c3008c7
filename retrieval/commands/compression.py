"""Verbs that compress items into files and measure that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from encoders.errors import OptionError
from retrieval.commands.parameters import AsJson, CorpusName, Seed, SkipBad, Target, argument, number, option, whole
from retrieval.commands.printing import emit, reported, say
from retrieval.commands.validation import require_other_out, require_report_folder
from retrieval.report.terminal.printable import shell_line
from retrieval.report.terminal.view import Output, View


def compress(
    corpus: Target,
    out: Annotated[Path, option("-o", "--out", help="File to write, e.g. items.nby.", metavar="FILE")],
    space: Annotated[
        str | None,
        option(
            "-s",
            "--space",
            help="A space that can be decoded, e.g. pixels+pca:64, or the folder of a saved encoder.",
            metavar="SPACE",
        ),
    ] = None,
    bytes: Annotated[
        float | None, typer.Option("--bytes", help="Mean bytes per item.", parser=number, metavar="NUMBER")
    ] = None,
    error: Annotated[
        float | None,
        typer.Option(
            "--error", help="Mean squared error per item, on training items.", parser=number, metavar="NUMBER"
        ),
    ] = None,
    bits: Annotated[
        float | None, typer.Option("--bits", help="Mean bits per component.", parser=number, metavar="NUMBER")
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Keep every pixel; needs a space pixels+vae:...")
    ] = False,
    embed: Annotated[
        bool, typer.Option("--embed/--no-embed", help="Store the encoder in the file, or only its digest.")
    ] = True,
    chunk: Annotated[
        int, whole("--chunk", help="Items that are stored, read and lost together.", lowest=1, highest=65_536)
    ] = 256,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace an existing compressed file.")] = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Compress pictures, sounds or vectors into one file: encode, quantise, entropy-code. The corpus is not changed.

    Without --bytes, --error or --bits, quantising adds 5% to the squared error of the space. With --lossless, pictures
    are coded by bits back, and each is decoded and compared before the file is written.
    """
    from retrieval.applications.compression.compress import compress as compress_corpus
    from retrieval.applications.compression.compress_lossless import compress_lossless
    from retrieval.applications.compression.nby_writer import require_new
    from retrieval.applications.compression.source import read_source
    from retrieval.applications.compression.target import CompressionTarget
    from retrieval.corpora.base import BadEntries
    from retrieval.report.terminal.compression import compressed_lines, lossless_lines

    if lossless and (bytes is not None or error is not None or bits is not None):
        raise OptionError("--lossless has no error to choose: leave --bytes, --error and --bits out")
    target = CompressionTarget(bytes, error, bits)
    require_new(out, fresh)
    require_other_out(out, corpus)
    with reported(BadEntries(skip_bad)) as bad:
        items, chosen = read_source(corpus, space, bad)
        if not embed and not chosen.__sklearn_is_fitted__():
            raise OptionError("--no-embed stores only the digest of a saved encoder: name its folder with -s")
        if lossless:
            kept = compress_lossless(items, chosen, out, embed=embed, items_per_chunk=chunk, fresh=fresh, say=say)
            output: View = Output(lossless_lines, lambda made: made.to_json(), kept)
        else:
            made = compress_corpus(items, chosen, out, target, embed=embed, items_per_chunk=chunk, fresh=fresh, say=say)
            output = Output(compressed_lines, lambda made: made.to_json(), made)
    if out.is_file():  # not a pipe
        emit(output, as_json)
    say(f"compressed: {out}")
    apart = [] if embed else ["--encoder", space if space is not None and Path(space).is_dir() else "ENCODER"]
    say(f"next: {shell_line(['nearby', 'decompress', str(out), *apart, '-o', 'FOLDER'])}")


def decompress(
    file: Annotated[Path, argument("FILE", "A file of 'nearby compress'.")],
    item: Annotated[list[str] | None, argument("[ITEM...]", "Items by @id or by number from 0. Default: all.")] = None,
    out: Annotated[
        Path | None,
        option("-o", "--out", help="New folder for the items, or a file such as seven.png for one.", metavar="PATH"),
    ] = None,
    encoder: Annotated[
        Path | None,
        option("--encoder", help="Folder of the encoder, for a file that holds only its digest.", metavar="FOLDER"),
    ] = None,
    ids: Annotated[bool, typer.Option("--list", help="List the ids.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decode a compressed file: pictures to .png, sounds to .wav, vectors to .npy. Without -o, show what it holds.

    Items of damaged chunks are left out: a message names them, and the exit code is 2.
    """
    from retrieval.applications.compression.compressed_items import CompressedItems
    from retrieval.applications.compression.decompress import decompress as decompress_items
    from retrieval.applications.compression.decompress import require_free
    from retrieval.report.terminal.compression import described_json, described_lines, ids_json, ids_lines

    if out is None and item:
        raise OptionError("items are written only with -o: add -o FOLDER, or leave the items out")
    if out is not None:
        require_free(out, item or ())
    with CompressedItems(file, encoder) as items:
        if ids:
            emit(Output(ids_lines, ids_json, items), as_json)
        if out is None:
            if not ids:
                emit(Output(described_lines, described_json, items), as_json)
                apart = [] if encoder is None else ["--encoder", str(encoder)]
                say(f"next: {shell_line(['nearby', 'decompress', str(file), *apart, '-o', 'FOLDER'])}")
            return
        written = decompress_items(items, out, item or ())
    emit(written, as_json)
    if written.items:
        say(f"decompressed: {out}")
    written.require_whole()


def compression_curve(
    corpus: CorpusName,
    out: Annotated[Path, option("-o", "--out", help="Folder for the page, figures and pictures.", metavar="FOLDER")],
    space: Annotated[
        list[str] | None,
        option("-s", "--space", help="A space; repeat for several. PCA is always measured.", metavar="SPACE"),
    ] = None,
    sample: Annotated[int, whole("--sample", help="Number of held-out pictures.", lowest=1)] = 1000,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Measure bytes against error of spaces, beside JPEG, WebP and JPEG 2000, on pictures that no space was fitted on.

    Files are written and read back. The queries of a corpus are held out, or else every fifth picture.
    """
    from retrieval.applications.compression.curve import compression_curves
    from retrieval.applications.compression.held_out import held_out_split
    from retrieval.collection.open import collection_at, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.compression import write_curves
    from retrieval.report.terminal.compression import curves_lines

    require_report_folder(out)
    if collection_at(corpus) is not None:
        raise OptionError(f"{corpus} is a collection whose spaces were fitted on all its items: name the corpus")
    with reported(BadEntries(skip_bad)) as bad:
        split = held_out_split(Unique(open_data(corpus, on_bad=bad), bad), sample, seed)
        curves = compression_curves(*split, space or (), say=say)
    written = write_curves(curves, provenance(), out)
    emit(Output(lambda: curves_lines(curves), curves.to_json), as_json)
    say(f"report: {written}")
