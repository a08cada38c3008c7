"""Verbs that encode items, and turn codes back into items."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrieval.commands.parameters import AsJson, CollectionFolder, OneSpace, Seed, Spaces, argument, option, whole
from retrieval.commands.printing import emit, say
from retrieval.commands.validation import require_other_out, require_report_folder
from retrieval.report.terminal.view import Output

if TYPE_CHECKING:
    from retrieval.applications.reconstruction_table import ReconstructionTable

OneQuery = Annotated[
    str, argument("QUERY", "A text, the path of a picture or sound, a row as a JSON object, or @id of an item.")
]
SomeQueries = Annotated[list[str] | None, argument("QUERY...", "Texts, paths of pictures or sounds, or @ids of items.")]
RandomItems = Annotated[int | None, whole("-n", help="Number of random items.", lowest=1, highest=100)]
Pictures = Annotated[
    Path | None,
    option(
        "-o",
        "--out",
        help="Write pictures or spectrograms to a .png, sounds to a .wav, or values to a .npy.",
        metavar="FILE",
    ),
]


def encode(
    folder: CollectionFolder,
    query: OneQuery,
    space: OneSpace,
    out: Annotated[Path | None, option("-o", "--out", help="Write the code as a .npy file.", metavar="FILE")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the code of one item or query, or write it as .npy."""
    from retrieval.applications.reconstruction import code_of
    from retrieval.collection.open import open_collection

    require_other_out(out, query)
    code = code_of(open_collection(folder), space, query)
    if out is not None:
        code.write(out)
        say(f"code: {out}")
    if out is None or as_json:
        emit(code, as_json)


def decode(
    folder: CollectionFolder,
    code: Annotated[Path, argument("CODE", "A .npy file of codes, as 'encode -o' writes it.")],
    space: OneSpace,
    out: Pictures = None,
    as_json: AsJson = False,
) -> None:
    """Turn codes back into pictures, sounds, vectors, or the words with the largest weights."""
    from retrieval.applications.reconstruction import decoded
    from retrieval.collection.open import open_collection

    require_other_out(out, code)
    _show_reconstructions(decoded(open_collection(folder), space, code), out, as_json)


def reconstruct(
    folder: CollectionFolder,
    query: SomeQueries = None,
    space: Spaces = None,
    count: RandomItems = None,
    seed: Seed = 0,
    out: Pictures = None,
    as_json: AsJson = False,
) -> None:
    """Encode items and decode their codes, to see what each space keeps."""
    from retrieval.applications.reconstruction import asked_items, reconstructions
    from retrieval.collection.open import open_collection

    require_other_out(out, *(query or []))
    collection = open_collection(folder)
    _show_reconstructions(
        reconstructions(collection, asked_items(collection, query or [], count, seed), space), out, as_json
    )


def denoise(
    folder: CollectionFolder,
    query: SomeQueries = None,
    space: Spaces = None,
    noise: Annotated[
        str | None,
        option("--noise", help="Add noise first: gaussian:0.5, masking:0.3 or salt-and-pepper:0.2.", metavar="NOISE"),
    ] = None,
    count: RandomItems = None,
    seed: Seed = 0,
    out: Pictures = None,
    as_json: AsJson = False,
) -> None:
    """Clean pictures by encoding and decoding them; with --noise, add noise first and measure the gain."""
    from retrieval.applications.denoising import Noise, denoised
    from retrieval.applications.reconstruction import asked_items
    from retrieval.collection.open import open_collection

    require_other_out(out, *(query or []))
    added = None if noise is None else Noise.read(noise)
    collection = open_collection(folder)
    asked = asked_items(collection, query or [], count, seed)
    _show_reconstructions(denoised(collection, asked, space, added, seed), out, as_json)


def sample(
    folder: CollectionFolder,
    space: OneSpace,
    count: Annotated[int, whole("-n", help="Number of new items.", lowest=1, highest=10_000)] = 64,
    seed: Seed = 0,
    out: Pictures = None,
    as_json: AsJson = False,
) -> None:
    """Make new items: decode samples of the prior of a space, or of a Gaussian fitted to its codes."""
    from retrieval.applications.generation import sampled
    from retrieval.collection.open import open_collection

    _show_reconstructions(sampled(open_collection(folder), space, count, seed), out, as_json)


def interpolate(
    folder: CollectionFolder,
    start: Annotated[str, argument("A", "First item: a text, the path of a picture or sound, or @id.")],
    end: Annotated[str, argument("B", "Last item.")],
    space: OneSpace,
    steps: Annotated[int, whole("--steps", help="Number of items, A and B included.", lowest=2, highest=100)] = 10,
    out: Pictures = None,
    as_json: AsJson = False,
) -> None:
    """Decode points on the line between the codes of two items."""
    from retrieval.applications.generation import interpolated
    from retrieval.collection.open import open_collection

    require_other_out(out, start, end)
    _show_reconstructions(interpolated(open_collection(folder), space, start, end, steps), out, as_json)


def convert(
    folder: CollectionFolder,
    space: OneSpace,
    items: Annotated[
        list[str] | None, argument("A...", "Items to convert: paths of pictures or sounds, or @ids.")
    ] = None,
    voice: Annotated[
        list[str] | None,
        option(
            "--voice",
            help="Name of a speaker or another nuisance, or an item that has it; repeat for several items."
            "  [default: the others in turn]",
            metavar="B",
        ),
    ] = None,
    count: RandomItems = None,
    seed: Seed = 0,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Also convert between all pairs of voices: what do classifiers hear?")
    ] = False,
    out: Pictures = None,
    report: Annotated[
        Path | None,
        option(
            "--report",
            help="Folder for a page that plays the conversions, with all pairs, and a file of each.",
            metavar="FOLDER",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give items the voice, or another nuisance, of others: decode their content with it."""
    from retrieval.applications.conversion import converted
    from retrieval.applications.reconstruction import asked_items
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.conversions import conversions_json, conversions_lines
    from retrieval.report.terminal.reconstructions import write_reconstructions

    require_report_folder(report)
    require_other_out(out, *(items or []), *(voice or []))
    collection = open_collection(folder)
    asked = asked_items(collection, items or [], count, seed)
    conversions = converted(collection, space, asked, voice or (), pairs=pairs or report is not None)
    if out is not None:
        write_reconstructions(conversions.table, out)
        say(f"written: {out}")
    if report is not None:
        from retrieval.experiment.provenance import provenance
        from retrieval.report.html.conversion import write_conversions

        say(f"report: {write_conversions(conversions, provenance(), report)}")
    emit(Output(lambda: conversions_lines(conversions), lambda: conversions_json(conversions, out)), as_json)


def classify(
    folder: CollectionFolder,
    query: OneQuery,
    space: OneSpace,
    k: Annotated[int, whole("-k", help="Number of labels.", lowest=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Predict the label of an item, with probabilities, with a space that was trained on labels."""
    from retrieval.applications.classification import Verdict, classified
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.listing import labels_lines

    emit(Output(labels_lines, Verdict.to_json, classified(open_collection(folder), space, query, k)), as_json)


def _show_reconstructions(table: ReconstructionTable, out: Path | None, as_json: bool) -> None:
    """Write what spaces made of items, and print it; where nothing was measured, one of the two."""
    from retrieval.report.terminal.reconstructions import (
        reconstructions_json,
        reconstructions_lines,
        write_reconstructions,
    )

    if out is not None:
        note = write_reconstructions(table, out)
        if note:
            say(note)
        say(f"{table.title if table.title and not table.measures else 'written'}: {out}")
    if out is None or as_json or table.measures:
        emit(Output(lambda: reconstructions_lines(table), lambda: reconstructions_json(table, out)), as_json)
