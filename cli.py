"""The command line: one function per verb. It parses, calls `retrieval`, prints; nothing else."""

from __future__ import annotations

import os
import sys

try:
    import json
    import shlex
    import traceback
    import warnings
    from collections.abc import Iterator, Sequence
    from contextlib import contextmanager, nullcontext
    from contextvars import copy_context
    from copy import copy
    from dataclasses import replace
    from pathlib import Path
    from typing import TYPE_CHECKING, Annotated, Any

    import typer
    from typer.core import TyperGroup

    from encoders.errors import NearbyError, OptionError
    from encoders.numbers import counted, is_whole, read_number, read_share, read_whole, shortened
    from encoders.options import LARGEST_SEED
    from retrieval.report.terminal.printable import escaped, printable, shell_line, standard_output
    from retrieval.report.terminal.view import Output, Styled, View
    from retrieval.signals_and_memory import fit_into_memory, memory_sentence, stopping
except KeyboardInterrupt:  # somebody pressed Ctrl-C before there was anything to stop
    sys.stderr.write("nearby: stopped\n")
    sys.exit(1)

if TYPE_CHECKING:
    from retrieval.applications.anomaly.detection import Rule
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.applications.reconstruction_table import ReconstructionTable
    from retrieval.corpora.base import BadEntries, Corpus
    from retrieval.experiment.baseline import Baseline, Change
    from retrieval.experiment.fitted_encoders import FittedEncoders
    from retrieval.experiment.result import Comparison

#: What `nearby demo` compares: the Euclidean space first, then the latent ones.
DEMO = {
    "digits": ["pixels", "pixels+pca:16", "pixels+deep-ae:256-128-16,epochs=60"],
    "api-docs": ["bm25", "tfidf", "tfidf+lsa:128", "bow:2000+deep-ae:500-250-128,epochs=15"],
}
#: What typer returns when the user pressed Ctrl-C.
INTERRUPTED = 130
#: Exit code of `nearby health --strict` when a value is poor.
STRICT = 4
#: What `nearby evaluate` prints when no measure is named.
MEASURES = ("nDCG@10", "AP", "RR", "P@10", "R@100")


class Verbs(TyperGroup):
    """A group that prints the whole first sentence of each verb, which typer would cut."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs in the order of this file."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(200)) for name, verb in self.commands.items()])


def whole(*names: str, help: str, lowest: int, highest: int | None = None) -> Any:
    """Declare an option that is a whole number, read as everywhere in nearby."""

    def read(text: Any) -> int:
        if isinstance(text, int):  # the default
            return text
        if not is_whole(text, lowest, highest):
            limits = f"at least {lowest:,}" if highest is None else f"from {lowest:,} to {highest:,}"
            raise typer.BadParameter(f"expected a whole number, {limits}; got {shortened(text)}")
        return read_whole(text)

    return typer.Option(*names, help=help, parser=read, metavar="INTEGER")


def number(text: Any) -> float:
    """Read an option that is a number, as everywhere in nearby."""
    try:
        return text if isinstance(text, float) else read_number(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a number; {error}") from None


def share(text: Any) -> float:
    """Read an option that is a share: 1% or 0.01."""
    try:
        return text if isinstance(text, float) else read_share(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a share such as 1% or 0.01; {error}") from None


def share_or_estimate(text: Any) -> Any:
    """Read the option --contaminated: a share, or auto, which stands for none."""
    return text if text == "auto" else share(text)


def option(*names: str, help: str, metavar: str) -> Any:
    """Declare an option with a value."""
    return typer.Option(*names, help=help, metavar=metavar)


def argument(name: str, help: str) -> Any:
    """Declare an argument."""
    return typer.Argument(metavar=name, help=help, show_default=False)


# Options and arguments that several verbs share.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Print every option of a space, including defaults.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad entries out, list them, and continue.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start over and replace what is there.")]
CollectionFolder = Annotated[Path, argument("FOLDER", "Folder of a collection.")]
CorpusName = Annotated[str, argument("CORPUS", "Name or path of a corpus, e.g. digits or 'articles.csv?text=body'.")]
Target = Annotated[str, argument("CORPUS", "Name or path of a corpus, or folder of a collection.")]
Spaces = Annotated[
    list[str] | None,
    option("-s", "--space", help="A space of the collection; repeat for several. Default: all.", metavar="SPACE"),
]
ChosenSpaces = Annotated[
    list[str] | None,
    option(
        "-s",
        "--space",
        metavar="SPACE",
        help="A space, e.g. pixels+pca:30; repeat for several. Default: some that suit the corpus.",
    ),
]
OneSpace = Annotated[str, option("-s", "--space", help="A space of the collection.", metavar="SPACE")]
OneQuery = Annotated[
    str, argument("QUERY", "A text, the path of a picture or sound, a row as a JSON object, or @id of an item.")
]
SomeQueries = Annotated[list[str] | None, argument("QUERY...", "Texts, paths of pictures or sounds, or @ids of items.")]
RandomItems = Annotated[int | None, whole("-n", help="Number of random items.", lowest=1, highest=100)]
Seed = Annotated[int, whole("--seed", help="Random seed.", lowest=0, highest=LARGEST_SEED)]
Pictures = Annotated[
    Path | None,
    option(
        "-o",
        "--out",
        help="Write pictures or spectrograms to a .png, sounds to a .wav, or values to a .npy.",
        metavar="FILE",
    ),
]
JudgedBy = Annotated[
    str,
    option(
        "--judged-by",
        metavar="RUNG",
        help="What decides relevance: qrels, labels, known-item or agreement. auto: the first that the corpus has.",
    ),
]
ReportFolder = option("-o", "--out", help="Folder for the HTML report.", metavar="FOLDER")
RecommenderFolder = Annotated[Path, argument("FOLDER", "Folder of a recommender.")]
User = Annotated[str, argument("USER", "Id of a user.")]
RatedItem = Annotated[str, argument("ITEM", "Id of an item.")]
Count = Annotated[int, whole("-k", help="Number of items.", lowest=1)]
DetectorFolder = Annotated[Path, argument("FOLDER", "Folder of an anomaly detector.")]
DetectorSpaces = Annotated[
    list[str] | None,
    option(
        "-s",
        "--space",
        metavar="SPACE",
        help="A space, e.g. vectors+pca:8; repeat for several. Default: one that suits.",
    ),
]
Score = Annotated[
    str,
    option(
        "--score",
        metavar="SCORE",
        help="Score: reconstruction, likelihood, neighbours, discriminator, or auto, which suits the space.",
    ),
]
NormalLabels = Annotated[
    list[str] | None,
    option("--normal", help="Label of the normal items; repeat for several. Default: all are normal.", metavar="LABEL"),
]
HoldOut = Annotated[
    float | None,
    typer.Option(
        "--hold-out", help="Share of the normal items held out for calibration. [default: 20%]", parser=share,
        metavar="SHARE",
    ),
]  # fmt: skip
ByOrder = Annotated[
    bool, typer.Option("--split-by-order", help="Hold out the last items, not random ones: for data in order of time.")
]
Neighbour = Annotated[int, whole("-k", help="Rank of the neighbour, for the score neighbours.", lowest=1)]
Standardise = Annotated[
    bool | None,
    typer.Option(
        "--standardise/--no-standardise",
        help="Standardise reconstruction errors by component.  [default: for vectors and rows only]",
    ),
]
FalseAlarms = Annotated[
    float | None,
    typer.Option("--false-alarms", help="Share of normal items to flag.  [default: 1%]", parser=share, metavar="SHARE"),
]

# Plain help: drawing it with rich takes 70 ms.
SETTINGS: dict[str, Any] = {"max_content_width": 100, "show_default": True, "help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="nearby",
    cls=Verbs,
    help="Which representation of my data puts similar things near each other?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=SETTINGS,
)
recommend = typer.Typer(
    cls=Verbs,
    help="Factorise ratings: predict missing ones, recommend items, find similar items.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
anomalies = typer.Typer(
    cls=Verbs,
    help="Detect anomalies: items unlike normal ones, with p-values that say how often a normal item is as strange.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        _print(f"nearby {version('nearby-spaces')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Trust the Elasticsearch server that a collection's folder names: send it your credentials."
        ),
    ] = False,
) -> None:
    """Hold the options that stand before any verb."""
    if trust:
        from indexers.elasticsearch.trust import trust_folders

        trust_folders()


@app.command()
def encoders(
    name: Annotated[str | None, argument("[ENCODER]", "Only this encoder, e.g. bm25.")] = None, as_json: AsJson = False
) -> None:
    """List the encoders: what each is, what it reads, and its options."""
    from retrieval.report.terminal.catalogue import encoders_json, encoders_lines

    emit(Output(encoders_lines, encoders_json, name), as_json)


@app.command()
def corpora(
    formats: Annotated[
        bool, typer.Option("--formats", help="List the formats of files and folders, and their options.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the corpora known by name: what they hold, size, licence, and whether they are on this machine."""
    from retrieval.corpora.catalogue import catalogue
    from retrieval.report.terminal.catalogue import corpora_json, corpora_lines, formats_json, formats_lines

    if formats:
        emit(Output(formats_lines, formats_json), as_json)
    else:
        emit(Output(corpora_lines, corpora_json, catalogue()), as_json)


@app.command()
def index(
    corpus: Annotated[
        str | None,
        argument(
            "[CORPUS]",
            "Name or path of a corpus, e.g. digits or 'articles.csv?text=body'; required, except with --finish.",
        ),
    ] = None,
    space: ChosenSpaces = None,
    out: Annotated[
        Path | None,
        option("-o", "--out", help="Folder of the collection; required, except with --shard.", metavar="FOLDER"),
    ] = None,
    kind: Annotated[
        str,
        option("--index", help="Index of every space, e.g. faiss:HNSW32 or elasticsearch:URL/NAME.", metavar="INDEX"),
    ] = "auto",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild the served index, then swap it in.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume an interrupted load; fail if there is none.")
    ] = False,
    shard: Annotated[
        str | None, option("--shard", help="Load one shard into Elasticsearch, e.g. 3/16.", metavar="K/N")
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="After all shards are loaded: check them and serve the index.")
    ] = False,
    skip_bad: SkipBad = False,
) -> None:
    """Store a corpus and index it in one or more spaces.

    Run the same command again to continue after an interruption, or with other spaces to add them.
    """
    from retrieval.collection.indexing import IndexRequest, index_by_request, remains
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries

    request = IndexRequest(tuple(space or ()), out, kind, rebuild, resume, shard, finish)
    request.require_possible(corpus is not None)
    try:
        with _reported(BadEntries(skip_bad)) as bad:
            opened = None if corpus is None else open_data(corpus, on_bad=bad)
            if opened is not None and not space:
                request = replace(request, specs=_default_spaces(opened))
            collection = index_by_request(request, opened, bad, _say)
    except KeyboardInterrupt:
        _say(f"nearby: stopped; {remains(request)}")
        sys.exit(1)
    if collection is None:
        _say("next: when all shards are loaded,  nearby index CORPUS --finish -o FOLDER  with the same -s and --index")
        return
    items, spaces = counted(collection.items.size, "item"), counted(len(collection.spaces), "space")
    _say(f"{collection.folder}: {items} in {spaces}")
    _say(f"next: {shell_line(['nearby', 'search', str(out), f'@{next(iter(collection.items)).id}'])}")


@app.command()
def train(
    corpus: CorpusName,
    space: Annotated[str, argument("SPACE", "What to fit, e.g. pixels+deep-ae:256-128-16.")],
    out: Annotated[Path, option("-o", "--out", help="Folder of the encoder.", metavar="FOLDER")],
    time_budget: Annotated[
        str | None,
        option(
            "--time-budget",
            help="Time limit, e.g. 90s, 5m or 1h; a number alone is minutes. Time already spent counts when resuming.",
            metavar="TIME",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume a training that was stopped.")] = False,
    fresh: Fresh = False,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Fit one encoder on a corpus and save it as a folder, to be used as a space: -s ./FOLDER.

    When training is stopped or its loss diverges, its state is in FOLDER.work, and --resume continues it. You may then
    change epochs, minutes, learning-rate, patience, batch-size and device.
    """
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.spaces.time_budget import read_minutes
    from retrieval.spaces.train import train_encoder
    from retrieval.spaces.training_folder import TrainingFolder

    minutes = None if time_budget is None else read_minutes(time_budget)
    try:
        with _reported(BadEntries(skip_bad)) as bad, _watching() as watch:
            opened = Unique(open_data(corpus, on_bad=bad), bad)
            made = train_encoder(opened, space, out, minutes, resume, fresh, watch, _say)
    except KeyboardInterrupt:
        _say(f"nearby: stopped; {TrainingFolder(out).remains()}")
        sys.exit(1)
    if as_json:
        _print_json(made.to_json())
    _say(made.line())
    if verbose:
        _say(f"all options: {made.encoder.spec(full=True)}")
    _say(f"next: {shell_line(['nearby', 'index', corpus, '-s', made.as_space, '-o', 'FOLDER'])}")


@app.command()
def add(
    folder: CollectionFolder,
    corpus: Annotated[str, argument("CORPUS", "Name or path of the corpus whose items are added.")],
    skip_bad: SkipBad = False,
) -> None:
    """Add the items of a corpus to a collection; an item whose id is there is replaced."""
    from retrieval.collection.open import open_addition, open_collection
    from retrieval.collection.unknown_words import unknown_words_line
    from retrieval.corpora.base import BadEntries, unique_ids

    collection = open_collection(folder)
    with _reported(BadEntries(skip_bad)) as bad:
        made, change = collection.put(unique_ids(open_addition(collection, corpus, bad), bad), _say)
    if change.added or change.changed:
        _print(f"{len(change.added):,} added, {len(change.changed):,} changed, {change.unchanged:,} unchanged")
        if line := unknown_words_line(made, [*change.added, *change.changed]):
            _say(line)
    else:
        _print(f"nothing to do: {counted(change.unchanged, 'item')} already there and unchanged")


@app.command()
def delete(folder: CollectionFolder, ids: Annotated[list[str], argument("ID...", "Ids of items.")]) -> None:
    """Remove items from a collection, in every space."""
    from retrieval.collection.open import open_collection

    removed = list(dict.fromkeys(ids))
    left = open_collection(folder).delete(removed, _say)
    _print(f"{len(removed):,} removed, {left.items.size:,} left")


@app.command()
def compact(folder: CollectionFolder) -> None:
    """Merge the segments of a collection into one and drop removed items; answers stay the same."""
    from retrieval.collection.open import open_collection

    before = open_collection(folder)
    present = before.info()
    after = before.compact(_say)
    if after is before and not present.server:
        _print(f"nothing to do: {folder} is one segment, without removed items")
        return
    size = f"{present.bytes:,} bytes before, {after.info().bytes:,} now"
    dropped = (
        f"{counted(present.segments, 'segment')} merged into one, {counted(present.removed, 'removed item')} dropped"
    )
    _print(f"{folder}: {'merged on its server' if present.server else dropped}; {size}")


@app.command()
def info(
    folder: Annotated[str, argument("FOLDER", "Folder of a collection, or elasticsearch:URL/NAME.")],
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove stale indexes of this collection, including unfinished loads.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --clean: also stale indexes that other nearby collections made.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every byte of a collection with its checksums.")
    ] = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Show what a collection holds: items, spaces, sizes, fields for --filter; in Elasticsearch also stale indexes."""
    from retrieval.collection.elasticsearch.cleanup import indexes_at, is_address, remove_stale
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.elasticsearch import everything_json, everything_lines, indexes_json, indexes_lines

    if yes and not clean:
        raise OptionError("--yes goes with --clean: add --clean, or leave --yes out")
    if verify and (clean or is_address(folder)):
        raise OptionError("--verify reads the folder of a collection: give one, without --clean")
    if verify:
        from retrieval.collection.verification import verify as verify_collection

        verified = verify_collection(Path(folder))
        emit(verified, as_json)
        verified.require_whole()
    elif clean or is_address(folder):
        found = indexes_at(folder) if is_address(folder) else open_collection(folder).server_indexes()
        if found is None:
            raise OptionError(f"{folder} is on disk and has no stale indexes: leave --clean out")
        indexes = remove_stale(found, yes) if clean else found
        emit(Output(lambda: indexes_lines(indexes, clean), lambda: indexes_json(indexes)), as_json)
    else:
        collection = open_collection(folder)
        emit(Output(lambda: everything_lines(collection, verbose), lambda: everything_json(collection)), as_json)


@app.command()
def search(
    folder: CollectionFolder,
    query: Annotated[
        list[str] | None,
        argument("QUERY...", "Words, the path of a picture or sound, a row as JSON, or @id of an item."),
    ] = None,
    space: Spaces = None,
    k: Annotated[int, whole("-k", help="Number of answers in each space.", lowest=1)] = 10,
    filters: Annotated[
        list[str] | None,
        option(
            "--filter",
            help="Only items with this value, e.g. year=2004; also 'amount>100', >=, <, <=, !=. Repeat. "
            "See nearby info.",
            metavar="KEY=VALUE",
        ),
    ] = None,
    fuse: Annotated[
        str | None,
        option(
            "--fuse",
            help="Fuse all spaces into one list: by reciprocal ranks, or by weights of compare --save-fusion.",
            metavar="rrf|saved",
        ),
    ] = None,
    depth: Annotated[
        int | None,
        whole("--depth", help="With --fuse: number of hits taken from each space.  [default: 100, or k]", lowest=1),
    ] = None,
    shortlist: Annotated[
        str | None,
        option("--shortlist", help="Space that finds candidates for --rerank, e.g. one of bits.", metavar="SPACE"),
    ] = None,
    rerank: Annotated[
        str | None,
        option(
            "--rerank", help="Space, or cross-encoder:MODEL, that ranks the candidates of --shortlist.", metavar="SPACE"
        ),
    ] = None,
    candidates: Annotated[
        int | None, whole("--candidates", help="Number of candidates.  [default: 1000]", lowest=1)
    ] = None,
    radius: Annotated[
        int | None,
        whole(
            "--radius", help="Instead of --candidates: all items that differ in at most this number of bits.", lowest=0
        ),
    ] = None,
    query_vector: Annotated[
        Path | None,
        option(
            "--query-vector",
            help="File with the embedding of the query, for spaces of given embeddings (-s given:FILE).",
            metavar="FILE",
        ),
    ] = None,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Find the items nearest to a query: in each space, fused into one list, or re-ranked from a shortlist."""
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.listing import search_json, search_lines
    from retrieval.search.query import asked_query
    from retrieval.search.request import SearchRequest

    request = SearchRequest.read(space or (), k, filters or (), fuse, depth, shortlist, rerank, candidates, radius)
    collection = open_collection(folder)
    answer = request.answer(collection, asked_query(collection, " ".join(query or ()), query_vector))
    emit(Output(lambda: search_lines(answer, verbose), lambda: search_json(answer)), as_json)


@app.command()
def serve(
    folders: Annotated[list[Path], argument("DIR...", "Folders of collections.")],
    host: Annotated[
        str,
        option(
            "--host",
            help="Address to listen on; one that other machines can reach needs --token-file.",
            metavar="ADDRESS",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, whole("--port", help="Port; 0 takes a free one.", lowest=0, highest=65_535)] = 8765,
    token_file: Annotated[
        Path | None, option("--token-file", help="File with the secret that clients must send.", metavar="FILE")
    ] = None,
    workers: Annotated[int, whole("--workers", help="Number of processes.", lowest=1, highest=64)] = 1,
    threads: Annotated[
        int, whole("--threads", help="Number of searches that each process runs at once.", lowest=1, highest=64)
    ] = 2,
    allow_host: Annotated[
        list[str] | None,
        option("--allow-host", help="Another host name of the service; repeat for several.", metavar="NAME"),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        option(
            "--allow-origin",
            help="Origin of a web page that may use the API, e.g. https://example.org; repeat for several.",
            metavar="URL",
        ),
    ] = None,
) -> None:
    """Serve collections over HTTP: an API, and a page for search and comparison. Stop with Ctrl-C."""
    from retrieval.service.open_collections import named_folders
    from retrieval.service.server import serve as run
    from retrieval.service.settings import Settings

    named = {name: str(folder.absolute()) for name, folder in named_folders(folders).items()}
    run(
        Settings(
            named,
            host,
            port,
            "" if token_file is None else str(token_file.absolute()),
            workers,
            threads,
            tuple(allow_host or ()),
            tuple(allow_origin or ()),
        ),
        lambda url: _say(f"serving {', '.join(named)} at {url}  (Ctrl-C stops)"),
    )


@app.command()
def mcp(folder: CollectionFolder) -> None:
    """Let language models search a collection, over standard input and output (Model Context Protocol)."""
    from retrieval.collection.open import open_collection
    from retrieval.service.mcp import mcp_server

    open_collection(folder).close()  # fail now, not at the first call of a model
    mcp_server(folder.absolute()).run("stdio")


@app.command()
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

    _require_other_file(out, query)
    code = code_of(open_collection(folder), space, query)
    if out is not None:
        code.write(out)
        _say(f"code: {out}")
    if out is None or as_json:
        emit(code, as_json)


@app.command()
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

    _require_other_file(out, code)
    _show_reconstructions(decoded(open_collection(folder), space, code), out, as_json)


@app.command()
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

    _require_other_file(out, *(query or []))
    collection = open_collection(folder)
    _show_reconstructions(
        reconstructions(collection, asked_items(collection, query or [], count, seed), space), out, as_json
    )


@app.command()
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

    _require_other_file(out, *(query or []))
    added = None if noise is None else Noise.read(noise)
    collection = open_collection(folder)
    asked = asked_items(collection, query or [], count, seed)
    _show_reconstructions(denoised(collection, asked, space, added, seed), out, as_json)


@app.command()
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


@app.command()
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

    _require_other_file(out, start, end)
    _show_reconstructions(interpolated(open_collection(folder), space, start, end, steps), out, as_json)


@app.command()
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
            help="A speaker, or another nuisance, by name; or an item of it. Repeat items.  [default: all in turn]",
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

    _require_report_folder(report)
    _require_other_file(out, *(items or []), *(voice or []))
    collection = open_collection(folder)
    asked = asked_items(collection, items or [], count, seed)
    found = converted(collection, space, asked, voice or (), pairs=pairs or report is not None)
    if out is not None:
        write_reconstructions(found.table, out)
        _say(f"written: {out}")
    if report is not None:
        from retrieval.experiment.provenance import provenance
        from retrieval.report.html.conversion import write_conversions

        _say(f"report: {write_conversions(found, provenance(), report)}")
    emit(Output(lambda: conversions_lines(found), lambda: conversions_json(found, out)), as_json)


@app.command()
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


@app.command()
def evaluate(
    run: Annotated[Path, argument("RUN", "A TREC run file.")],
    qrels: Annotated[Path, argument("QRELS", "A TREC qrels file.")],
    measure: Annotated[
        list[str] | None,
        option("-m", "--measure", help="A measure, e.g. nDCG@10; repeat for several.", metavar="MEASURE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a TREC run with judgements; results equal those of trec_eval.

    A judged query without a line in the run counts as 0, as with trec_eval -c.
    """
    from retrieval.evaluation.evaluate import evaluate_run
    from retrieval.evaluation.trec import read_qrels, read_run
    from retrieval.report.terminal.listing import means_lines, unanswered_lines

    answers, judgements = read_run(run), read_qrels(qrels)
    means = evaluate_run(answers, judgements, measure or MEASURES).means
    for line in unanswered_lines(answers, judgements):
        _say(line)
    emit(Output(means_lines, dict, means), as_json)


@app.command()
def compare(
    corpus: Target,
    space: ChosenSpaces = None,
    index: Annotated[
        list[str] | None,
        option("--index", help="Index of every space; repeat to compare several.  [default: auto]", metavar="INDEX"),
    ] = None,
    out: Annotated[Path | None, ReportFolder] = None,
    examples: Annotated[
        int, whole("--examples", help="Number of queries shown with their answers, in report and JSON.", lowest=0)
    ] = 12,
    judged_by: JudgedBy = "auto",
    fusion: Annotated[
        bool, typer.Option("--fusion", help="Also fuse every pair of spaces, and all of them (a few seconds per pair).")
    ] = False,
    save_fusion: Annotated[
        bool,
        typer.Option("--save-fusion", help="Save the fusion weights in the collection, for search --fuse saved."),
    ] = False,
    health: Annotated[
        bool, typer.Option("--health", help="Also check the health of the spaces, in report and JSON.")
    ] = False,
    budgets: Annotated[
        str | None,
        option(
            "--bytes", help="Also reduce every dense space to these bytes per item, e.g. 8,32,128.", metavar="BYTES"
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        option("--baseline", help="comparison.json of an earlier comparison; print what changed.", metavar="FILE"),
    ] = None,
    fail_on_loss: Annotated[
        list[str] | None,
        option(
            "--fail-on-loss",
            help="Exit with code 3 if a space lost significantly on this measure since --baseline; may be repeated.",
            metavar="MEASURE",
        ),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="With --fail-on-loss: spaces of the baseline may be left out.")
    ] = False,
    seeds: Annotated[
        int, whole("--seeds", help="Fit each space that has a random seed with this many seeds.", lowest=1)
    ] = 1,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Ask the same queries in several spaces and compare the answers.

    CORPUS is indexed first; a collection is used as it is. With -o, the same command continues after an interruption.
    """
    from retrieval.collection.open import collection_at, open_collection, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.byte_budgets.reductions import parse_budgets
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.compare import compare_collection
    from retrieval.experiment.compare_options import CompareOptions
    from retrieval.experiment.fitted_encoders import FittedEncoders
    from retrieval.experiment.provenance import provenance
    from retrieval.experiment.save_weights import save_weights

    _require_report_folder(out, "report.html", "comparison.json", "per_query.parquet", "trec/")
    earlier = _read_baseline(baseline, fail_on_loss or [], out, allow_missing)
    options = CompareOptions(
        judged_by=judged_by,
        fusion=fusion or save_fusion,
        health=health,
        budgets=() if budgets is None else parse_budgets(budgets),
        seeds=seeds,
        baseline=earlier,
        whole_baseline=bool(fail_on_loss) and not allow_missing,
    )
    indexes, folder = index or ["auto"], collection_at(corpus)
    if folder is None and save_fusion:
        raise _no_collection_error(corpus, space or ())
    if folder is not None and (indexes != ["auto"] or skip_bad):
        raise OptionError(f"{corpus} is a collection, indexed already: leave --index and --skip-bad out")
    fitted = FittedEncoders(out if folder is None else None, _say, keep=True)
    with _keeping_fits(fitted, out) if folder is None else nullcontext():
        if folder is None:
            with _reported(BadEntries(skip_bad)) as bad:
                opened = Unique(open_data(corpus, on_bad=bad), bad)
                specs = space or _default_spaces(opened)
                comparison = compare_spaces(opened, specs, indexes, examples, provenance(), fitted, options)
        else:
            collection = open_collection(folder)
            comparison = compare_collection(collection, space, examples, provenance(), options)
            if save_fusion:
                _say(save_weights(collection, comparison))
        changes = [] if earlier is None else _gated(comparison, earlier, fail_on_loss or [], allow_missing)
        _write_comparisons([comparison], out)
    if earlier is None:
        _show_comparisons([comparison], verbose, as_json)
    else:
        _show_changes(comparison, earlier, changes, fail_on_loss or [], verbose, as_json)


@app.command()
def health(
    corpus: Target,
    space: ChosenSpaces = None,
    sample: Annotated[
        int, whole("--sample", help="Number of random items; all their pairs are compared.", lowest=20, highest=5000)
    ] = 1000,
    seed: Seed = 0,
    train: Annotated[
        bool, typer.Option("--train", help="Also train a discriminator that tells the codes of items apart.")
    ] = False,
    judged_by: JudgedBy = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 4 when a value is poor.")] = False,
    out: Annotated[Path | None, ReportFolder] = None,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Check spaces for what makes neighbours unreliable, such as hubs, and try remedies on the spot.

    For a corpus, the spaces are fitted first; the encoders of a collection are used as they are. Every value stands
    beside its chance level. A remedy is chosen on one half of the queries and measured on the other.
    """
    from retrieval.collection.open import collection_at, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.health.health import health as health_of
    from retrieval.experiment.health.health import read_spaces
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.health import write_health
    from retrieval.report.terminal.health import health_lines, health_values, is_poor

    _require_report_folder(out, "health.html")
    folder = collection_at(corpus)
    with _reported(BadEntries(skip_bad)) as bad:
        opened = Unique(open_data(corpus, on_bad=bad), bad) if folder is None else None
        specs = space or (None if opened is None else _default_spaces(opened))
        items, spaces = read_spaces(folder, opened, specs)
        found = health_of(items, spaces, sample, seed, train, _say, judged_by)
    found.provenance = provenance()
    if out is not None:
        _say(f"report: {write_health(found, out)}")
    emit(Output(lambda: health_lines(found, verbose), lambda: health_values(found)), as_json)
    if strict and is_poor(found):
        sys.exit(STRICT)


@app.command()
def tune(
    folder: CollectionFolder,
    space: OneSpace,
    recall: Annotated[
        float,
        typer.Option(
            "--recall", help="Wanted share of the true nearest items, e.g. .95.", parser=share, metavar="SHARE"
        ),
    ] = 0.95,
    k: Annotated[int, whole("-k", help="Number of nearest items.", lowest=1)] = 10,
    sample: Annotated[int, whole("--sample", help="Number of random items that ask.", lowest=1)] = 1000,
    items: Annotated[
        int, whole("--items", help="Compare all indexes on at most this many random items.", lowest=2)
    ] = 100_000,
    max_bytes: Annotated[
        float | None,
        typer.Option("--max-bytes", help="Largest index, in bytes per item.", parser=number, metavar="BYTES"),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Try FAISS indexes for a space, and recommend the fastest whose answers are good enough.

    Recall against exact search, speed, bytes and build time of each. A large collection is compared by a sample, and
    the recommended index is measured on all items. Nothing is written; the last line is the command that makes a
    collection with the recommended index.
    """
    from retrieval.collection.open import open_collection
    from retrieval.experiment.tuning.tuning import tune as tune_space
    from retrieval.report.terminal.tuning import tuning_lines, tuning_values

    with open_collection(folder) as collection:
        found = tune_space(collection, space, recall, k, sample, max_bytes, seed, _say, items)
    emit(Output(lambda: tuning_lines(found), lambda: tuning_values(found)), as_json)


@app.command()
def demo(
    out: Annotated[Path, ReportFolder] = Path("nearby-demo"), verbose: Verbose = False, as_json: AsJson = False
) -> None:
    """Compare spaces on two corpora that need no download: handwritten digits and API documentation."""
    from retrieval.corpora.registry import open_corpus
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.provenance import provenance

    _require_report_folder(out, "report.html", "trec/")
    comparisons = []
    for corpus, specs in DEMO.items():
        _say(f"comparing {len(specs)} spaces on {corpus} ...")
        comparisons.append(compare_spaces(open_corpus(f"corpus:{corpus}"), specs, provenance=provenance()))
    _write_comparisons(comparisons, out)
    _show_comparisons(comparisons, verbose, as_json)
    _say("next: nearby index digits -s pixels -s pixels+pca:16 -o my-digits && nearby serve my-digits")


@app.command()
def analyze(
    corpus: Target,
    out: Annotated[Path, option("-o", "--out", help="Folder for the page and its figures.", metavar="FOLDER")],
    space: ChosenSpaces = None,
    part: Annotated[
        list[str] | None,
        option("--part", help="A part of the analysis, e.g. tree; repeat for several. Default: all.", metavar="PART"),
    ] = None,
    sample: Annotated[int, whole("--sample", help="Number of items to analyse.", lowest=4)] = 1000,
    clusters: Annotated[
        int | None, whole("--clusters", help="Number of clusters to cut the tree into.", lowest=2)
    ] = None,
    height: Annotated[
        float | None, typer.Option(help="Cut the tree at this height.", parser=number, metavar="NUMBER")
    ] = None,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Analyse spaces: components, items as their sums, error by width, trees, clusters and labels, maps, posteriors,
    and how well codes identify their items."""
    from retrieval.analysis.analyze import PARTS
    from retrieval.analysis.analyze import analyze as analyze_spaces
    from retrieval.analysis.target import read_target
    from retrieval.corpora.base import BadEntries
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.analysis import write_analysis
    from retrieval.report.terminal.analysis import analysis_json, analysis_lines

    _require_report_folder(out, "analysis.html")
    with _reported(BadEntries(skip_bad)) as bad:
        items, fitted = read_target(corpus, space, bad)
        found = analyze_spaces(items, fitted, _say, part or PARTS, sample, clusters, height)
    found.provenance = provenance()
    options = {encoder.spec(): encoder.spec(full=True) for encoder in fitted} if verbose else None
    emit(Output(lambda: analysis_lines(found, options), lambda: analysis_json(found)), as_json)
    _say(f"analysis: {write_analysis(found, out)}")


@recommend.command("fit")
def recommend_fit(
    ratings: Annotated[
        str,
        argument("RATINGS", "Corpus of ratings: ml-100k, ratings-example, or a .csv of user, item, rating."),
    ],
    out: Annotated[Path, option("-o", "--out", help="Folder of the recommender.", metavar="FOLDER")],
    spec: Annotated[str, option("-s", "--space", help="Factorisation, e.g. mf:15,solver=als.", metavar="SPACE")] = "mf",
    fresh: Fresh = False,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Factorise a table of ratings and save the factors; those of a small table are printed."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries
    from retrieval.report.terminal.recommendations import fitted_json, fitted_lines

    Recommender.require_new(out, fresh)
    bad = BadEntries(skip_bad)
    recommender = Recommender.fit(open_data(ratings, on_bad=bad), spec)
    _report(bad)
    recommender.save(out)
    emit(Output(lambda: fitted_lines(recommender, verbose), lambda: fitted_json(recommender)), as_json)
    _say(f"recommender: {out}")
    _say(f"next: {shell_line(['nearby', 'recommend', 'for', str(out), recommender.users[0]])}")


@recommend.command("predict")
def recommend_predict(folder: RecommenderFolder, user: User, item: RatedItem, as_json: AsJson = False) -> None:
    """Predict how a user would rate an item."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import prediction_json, prediction_lines

    emit(Output(prediction_lines, prediction_json, Recommender.load(folder), user, item), as_json)


@recommend.command("similar")
def recommend_similar(folder: RecommenderFolder, item: RatedItem, k: Count = 10, as_json: AsJson = False) -> None:
    """Find the items whose factors have the largest cosine with those of an item."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    emit(Output(suggestions_lines, suggestions_json, Recommender.load(folder).similar(item, k), "cosine"), as_json)


@recommend.command("for")
def recommend_for(folder: RecommenderFolder, user: User, k: Count = 10, as_json: AsJson = False) -> None:
    """Recommend items that a user has not rated."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    found = Recommender.load(folder).recommended(user, k)
    emit(Output(suggestions_lines, suggestions_json, found, "predicted"), as_json)


app.add_typer(recommend, name="recommend")


@anomalies.command("fit")
def anomalies_fit(
    data: Annotated[str, argument("DATA", "Name or path of a corpus, or folder of a collection.")],
    out: Annotated[Path, option("-o", "--out", help="Folder of the detector.", metavar="FOLDER")],
    space: DetectorSpaces = None,
    score: Score = "auto",
    normal: NormalLabels = None,
    contaminated: Annotated[
        str | None,
        typer.Option(
            "--contaminated",
            help="If DATA may contain anomalies: leave out this share of the strangest items and fit again, e.g. 5%. "
            "Without a share, leave out items whose scores a gap separates from the others.",
            parser=share_or_estimate,
            metavar="[SHARE]",
        ),
    ] = None,
    hold_out: HoldOut = None,
    by_order: ByOrder = False,
    k: Neighbour = 5,
    standardise: Standardise = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Fit an anomaly detector on normal items.

    Some normal items are held out. Their scores turn the score of a new item into a p-value.
    """
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.applications.anomaly.saved_detector import require_new
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.report.terminal.anomalies import fitted_json, fitted_lines

    require_new(out, fresh)
    with _reported(BadEntries(skip_bad)) as bad:
        opened = Unique(open_data(data, on_bad=bad), bad)
        specs = space or _default_detector_space(opened, normal or ())
        detector = AnomalyDetector.fit(
            opened, specs, score=score, normal=normal or (), by_order=by_order, k=k, standardise=standardise, seed=seed,
            say=_say, **_given(contaminated=contaminated, hold_out=hold_out),
        )  # fmt: skip
    detector.save(out)
    emit(Output(fitted_lines, fitted_json, detector), as_json)
    _say(f"detector: {out}")
    _say(f"next: {shell_line(['nearby', 'anomalies', 'score', str(out), data, *_possible_rate(detector)])}")


@anomalies.command("score")
def anomalies_score(
    folder: DetectorFolder,
    data: Annotated[str, argument("DATA", "Name or path of a corpus, or - for lines of JSON from standard input.")],
    false_alarms: FalseAlarms = None,
    fdr: Annotated[
        float | None,
        typer.Option(
            "--fdr",
            help="Instead of --false-alarms: largest expected share of normal items among the flagged ones.",
            parser=share,
            metavar="SHARE",
        ),
    ] = None,
    as_normal: Annotated[
        bool, typer.Option("--as-normal", help="All items of DATA are normal: test whether their scores have drifted.")
    ] = False,
    k: Annotated[int, whole("-k", help="Number of items shown.", lowest=1)] = 20,
    out: Annotated[
        Path | None,
        option(
            "-o", "--out", help="Write all items as .csv or .jsonl, or the strangest as a .html page.", metavar="FILE"
        ),
    ] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Score items, strangest first, with p-values, and flag anomalies.

    With - as DATA, each line of standard input (an array of numbers, a text, an object with vector or text, or for a
    table an object of columns) is answered by a line of JSON.
    """
    from retrieval.applications.anomaly.detection import Rule, detect
    from retrieval.applications.anomaly.detector import AnomalyDetector

    rule = Rule.read(false_alarms, fdr)
    if data == "-":  # first, as a stream needs no page, whose imports take longer than its start
        if as_normal or out is not None:
            raise OptionError("a stream is answered line by line: leave --as-normal and -o out")
        _answer_stream(AnomalyDetector.load(folder), rule)
        return
    from retrieval.applications.anomaly.data import open_for
    from retrieval.applications.anomaly.strangest import EXPLAINED, explain_items
    from retrieval.corpora.base import BadEntries
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.scored_items import write_scored_items
    from retrieval.report.terminal.anomalies import (
        detection_json,
        detection_lines,
        is_page,
        require_table_name,
        write_detection,
    )

    if out is not None:
        require_table_name(out)
        _require_other_file(out, data)
    detector = AnomalyDetector.load(folder)
    if data == detector.record.corpus:
        _say("the detector was fitted on a part of these items: p-values hold for new items, not for that part")
    with _reported(BadEntries(skip_bad)) as bad:
        scored = open_for(detector, data, bad)
        found = detect(detector, scored, rule, as_normal)
        explained = explain_items(detector, scored, found.groups[:EXPLAINED], found.ids) if is_page(out) else []
    if out is not None and is_page(out):
        write_scored_items(found, explained, detector, provenance(), out)
    elif out is not None:
        note = write_detection(found, out)
        if note:
            _say(note)
    if out is not None:
        _say(f"written: {out}")
    emit(Output(lambda: detection_lines(found, k), lambda: detection_json(found)), as_json)
    if found.ids:
        strangest = found.ids[int(found.order[0])]
        _say(f"next: {shell_line(['nearby', 'anomalies', 'explain', str(folder), f'@{strangest}', '--data', data])}")


@anomalies.command("explain")
def anomalies_explain(
    folder: DetectorFolder,
    query: Annotated[
        str, argument("QUERY", "A text, the path of a picture, sound or vector, a JSON array or row, or @id.")
    ],
    data: Annotated[str | None, option("--data", help="The data that an @id is looked up in.", metavar="DATA")] = None,
    k: Annotated[int, whole("-k", help="Number of the nearest normal items.", lowest=1)] = 3,
    out: Annotated[
        Path | None,
        option("-o", "--out", help="Write a picture with its reconstruction and heat map as .png.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why an item is strange: components that raise its score, with observed and expected values."""
    from retrieval.applications.anomaly.data import read_item
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.report.figures.heat_map import write_heat_map
    from retrieval.report.terminal.anomalies import explanation_json, explanation_lines

    _require_other_file(out, query, *([] if data is None else [data]))
    detector = AnomalyDetector.load(folder)
    found = detector.explain(read_item(detector, query, data).content, k)
    if out is not None:
        write_heat_map(found, out)
        _say(f"written: {out}")
    emit(Output(explanation_lines, explanation_json, found), as_json)


@anomalies.command("compare")
def anomalies_compare(
    data: Annotated[str, argument("DATA", "Name or path of a corpus with labels.")],
    normal: Annotated[
        list[str],
        option(
            "--normal", help="Label of the normal items; repeat for several. All others are anomalies.", metavar="LABEL"
        ),
    ],
    space: DetectorSpaces = None,
    score: Score = "auto",
    hold_out: HoldOut = None,
    test: Annotated[
        float | None,
        typer.Option(
            "--test",
            help="Share of the normal items for the test. [default: 20%]",
            parser=share,
            metavar="SHARE",
        ),
    ] = None,
    by_order: ByOrder = False,
    k: Neighbour = 5,
    standardise: Standardise = None,
    false_alarms: FalseAlarms = None,
    seed: Seed = 0,
    out: Annotated[Path | None, ReportFolder] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Compare spaces as anomaly detectors by labels, beside trivial ones.

    They are fitted on normal items alone, and tested on other normal items and all anomalies.
    """
    from retrieval.applications.anomaly.comparison import compare_detectors
    from retrieval.applications.anomaly.detection import Rule
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.anomalies import write_detectors
    from retrieval.report.terminal.detectors import detectors_json, detectors_lines

    _require_report_folder(out, "anomalies.html")
    rate = Rule.read(false_alarms, None).rate
    with _reported(BadEntries(skip_bad)) as bad:
        opened = Unique(open_data(data, on_bad=bad), bad)
        specs = space or _default_detector_space(opened, normal)
        found = compare_detectors(
            opened, specs, normal, score=score, by_order=by_order, k=k, standardise=standardise, false_alarms=rate,
            seed=seed, explain=out is not None, say=_say, **_given(hold_out=hold_out, test=test),
        )  # fmt: skip
    if out is not None:
        _say(f"report: {write_detectors(found, provenance(), out)}")
    emit(Output(detectors_lines, detectors_json, found), as_json)


app.add_typer(anomalies, name="anomalies")


@app.command()
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

    Without --bytes, --error or --bits, quantising adds 5 % to the squared error of the space. With --lossless, pictures
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
    _require_other_file(out, corpus)
    with _reported(BadEntries(skip_bad)) as bad:
        items, chosen = read_source(corpus, space, bad)
        if not embed and not chosen.__sklearn_is_fitted__():
            raise OptionError("--no-embed stores only the digest of a saved encoder: name its folder with -s")
        if lossless:
            kept = compress_lossless(items, chosen, out, embed=embed, items_per_chunk=chunk, fresh=fresh, say=_say)
            output: View = Output(lossless_lines, lambda made: made.to_json(), kept)
        else:
            made = compress_corpus(
                items, chosen, out, target, embed=embed, items_per_chunk=chunk, fresh=fresh, say=_say
            )
            output = Output(compressed_lines, lambda made: made.to_json(), made)
    if out.is_file():  # not a pipe
        emit(output, as_json)
    _say(f"compressed: {out}")
    apart = [] if embed else ["--encoder", space if space is not None and Path(space).is_dir() else "ENCODER"]
    _say(f"next: {shell_line(['nearby', 'decompress', str(out), *apart, '-o', 'FOLDER'])}")


@app.command()
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

    Items of damaged chunks are left out; what was lost is said, and the exit code is 2.
    """
    from retrieval.applications.compression.compressed_items import CompressedItems
    from retrieval.applications.compression.decompress import decompress as decompress_items
    from retrieval.applications.compression.decompress import require_free
    from retrieval.report.terminal.compression import described_json, described_lines, ids_json, ids_lines

    if out is None and item:
        raise OptionError("name a folder for the items with -o")
    if out is not None:
        require_free(out, item or ())
    with CompressedItems(file, encoder) as items:
        if ids:
            emit(Output(ids_lines, ids_json, items), as_json)
        if out is None:
            if not ids:
                emit(Output(described_lines, described_json, items), as_json)
                apart = [] if encoder is None else ["--encoder", str(encoder)]
                _say(f"next: {shell_line(['nearby', 'decompress', str(file), *apart, '-o', 'FOLDER'])}")
            return
        written = decompress_items(items, out, item or ())
    emit(written, as_json)
    if written.items:
        _say(f"decompressed: {out}")
    written.require_whole()


@app.command()
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

    Files are written and read back. Held out are the queries of a corpus, or else every fifth picture.
    """
    from retrieval.applications.compression.curve import compression_curves
    from retrieval.applications.compression.held_out import held_out_split
    from retrieval.collection.open import collection_at, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.compression import write_curves
    from retrieval.report.terminal.compression import curves_lines

    _require_report_folder(out)
    if collection_at(corpus) is not None:
        raise OptionError(f"{corpus} is a collection, whose spaces have seen all its items: name the corpus")
    with _reported(BadEntries(skip_bad)) as bad:
        split = held_out_split(Unique(open_data(corpus, on_bad=bad), bad), sample, seed)
        found = compression_curves(*split, space or (), say=_say)
    written = write_curves(found, provenance(), out)
    emit(Output(lambda: curves_lines(found), found.to_json), as_json)
    _say(f"report: {written}")


def emit(view: View, as_json: bool) -> None:
    """Print what a verb found: as JSON, or as lines of a terminal."""
    if as_json:
        _print_json(view.to_json())
    else:
        _print("\n".join(line if isinstance(line, Styled) else printable(line) for line in view.lines()))


def _default_spaces(corpus: Corpus) -> tuple[str, ...]:
    """Return spaces that suit a corpus when none is named, and say which."""
    from retrieval.spaces.defaults import default_spaces

    specs = default_spaces(corpus)
    _say(f"no space is named, so nearby uses:  {' '.join(f'-s {spec}' for spec in specs)}")
    return tuple(specs)


def _default_detector_space(corpus: Corpus, normal: Sequence[str]) -> tuple[str, ...]:
    """Return a space for a detector when none is named, and say which."""
    from retrieval.applications.anomaly.choice import default_space

    spec = default_space(corpus, normal)
    _say(f"no space is named, so nearby uses:  -s {spec}")
    return (spec,)


def _answer_stream(detector: AnomalyDetector, rule: Rule) -> None:
    """Answer the lines of standard input as they come."""
    from retrieval.applications.anomaly.stream import answers, widen_pipe

    with standard_output():
        stream: Any = sys.stdin.buffer
        widen_pipe(stream)
        for lines in answers(detector, stream, rule):
            sys.stdout.buffer.write(lines)
            sys.stdout.buffer.flush()


def _no_collection_error(corpus: str, specs: Sequence[str]) -> OptionError:
    """Return the error for --save-fusion without a collection, with the commands that make one."""
    spaces = " ".join(f"-s {shlex.quote(spec)}" for spec in specs) or "-s SPACE -s SPACE"
    return OptionError(
        f"--save-fusion stores weights with a collection, and {corpus} is not a collection: index it first, as in "
        f"nearby index {shlex.quote(corpus)} {spaces} -o DIR && nearby compare DIR --save-fusion"
    )


def _require_report_folder(out: Path | None, *names: str) -> None:
    """Refuse a folder that cannot hold a report with files of these names, before any work."""
    from retrieval.collection.generations import is_collection
    from retrieval.output import is_writable, require_replaceable

    if out is None:
        return
    try:
        if out.exists() and not out.is_dir():
            raise OptionError(f"{out} is a file: choose a folder for the report")
        if is_collection(out):
            raise OptionError(f"{out} is a collection: choose another folder for the report")
        require_replaceable(out, *names)
        writable = is_writable(out)
    except OSError as error:  # too long a name, or a loop of links
        raise OptionError(f"cannot write to {out}: {error.strerror}; choose another folder for the report") from None
    if not writable:
        raise OptionError(f"cannot write to {out}: choose another folder for the report")


def _read_baseline(
    path: Path | None, measures: Sequence[str], out: Path | None, allow_missing: bool
) -> Baseline | None:
    """Read an earlier comparison, before any work."""
    from retrieval.experiment.baseline import read_baseline

    if allow_missing and not measures:
        raise OptionError("--allow-missing goes with --fail-on-loss: add it, or leave --allow-missing out")
    if path is None:
        if measures:
            raise OptionError("--fail-on-loss needs --baseline: name the comparison.json of an earlier comparison")
        return None
    if out is not None and _is_same_file(path, out / "comparison.json"):
        raise OptionError(f"-o {out} would replace the baseline: choose another folder for the report")
    baseline = read_baseline(path)
    baseline.require_measures(measures)
    return baseline


def _is_same_file(first: Path, second: Path) -> bool:
    """Return whether two names are one file, also through links; the file need not exist."""
    # Path.resolve raises an error for a loop of links
    return os.path.realpath(first) == os.path.realpath(second)


def _write_comparisons(comparisons: Sequence[Comparison], out: Path | None) -> None:
    """Write the report and the files for programs, all or none.

    That is done before anything is printed: what reads the table may end earlier, as `head` does.
    """
    from retrieval.experiment.trec_files import file_name, write_trec_files
    from retrieval.output import written_together
    from retrieval.report.comparison_file import write_machine_files
    from retrieval.report.html.comparison import write_page

    if out is None:
        return
    replaced = " (replaces the report that was there)" if (out / "report.html").exists() else ""
    with written_together():
        written = [f"report: {write_page(comparisons, out / 'report.html')}{replaced}"]
        written += [write_trec_files(one, out / "trec" / file_name(one.corpus)) for one in comparisons]
        written += write_machine_files(comparisons, out)
    for sentence in written:
        _say(sentence)


def _show_comparisons(comparisons: Sequence[Comparison], verbose: bool, as_json: bool) -> None:
    from retrieval.report.terminal.comparison import comparisons_json, comparisons_lines

    emit(Output(lambda: comparisons_lines(comparisons, verbose), lambda: comparisons_json(comparisons)), as_json)


@contextmanager
def _keeping_fits(fitted: FittedEncoders, out: Path | None) -> Iterator[None]:
    """Keep the fits of a comparison until its report is written; if it stops or fails before, say what is kept."""
    from retrieval.experiment.fitted_encoders import remains

    try:
        yield
    except KeyboardInterrupt:
        _say(f"nearby: stopped; {remains(out)}")
        sys.exit(1)
    except Exception:
        if fitted.holds:
            _say(remains(out))
        raise
    fitted.remove()


def _gated(comparison: Comparison, baseline: Baseline, measures: Sequence[str], allow_missing: bool) -> list[Change]:
    """Return what changed since an earlier comparison; refuse a gate through which a loss could pass unseen."""
    changes = baseline.changes(comparison)
    baseline.require_tested(changes, measures, comparison, allow_missing)
    return changes


def _show_changes(
    comparison: Comparison,
    baseline: Baseline,
    changes: Sequence[Change],
    measures: Sequence[str],
    verbose: bool,
    as_json: bool,
) -> None:
    """Print a comparison and what changed since an earlier one; end with code 3 on a significant loss."""
    from retrieval.report.terminal.baseline import compared_json, compared_lines, loss_line, only_one_lines

    for line in only_one_lines(baseline, comparison):
        _say(line)
    emit(
        Output(
            lambda: compared_lines(comparison, verbose, baseline, changes),
            lambda: compared_json(comparison, baseline, changes),
        ),
        as_json,
    )
    losses = [change for change in changes if change.is_loss and change.measure in measures]
    for change in losses:
        _say(f"nearby: {loss_line(change)}")
    if losses:
        raise typer.Exit(3)


def _require_other_file(out: Path | None, *sources: str | Path) -> None:
    """Refuse to write over what is read, before any work."""
    if out is not None:
        from retrieval.output import require_other_file

        require_other_file(out, *sources)


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
            _say(note)
        _say(f"{table.title if table.title and not table.measures else 'written'}: {out}")
    if out is None or as_json or table.measures:
        emit(Output(lambda: reconstructions_lines(table), lambda: reconstructions_json(table, out)), as_json)


@contextmanager
def _watching() -> Iterator[Any]:
    """Show the losses of a training while it runs, on a terminal."""
    from rich.console import Console

    from retrieval.report.terminal.training_curve import LiveCurve

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with LiveCurve(console) as watch:
        yield watch


@contextmanager
def _reported(bad: BadEntries) -> Iterator[BadEntries]:
    """Say which entries were left out, above all when none was left and the work failed."""
    try:
        yield bad
    finally:
        _report(bad)


def _report(bad: BadEntries) -> None:
    for line in bad.found:
        _say(f"left out: {line}")


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)


def _warn(message: Warning | str, *location: Any) -> None:
    """Say a warning as one line: where in the code it was raised helps no user."""
    _say(f"warning: {' '.join(str(message).split())}")


def _possible_rate(detector: AnomalyDetector) -> list[str]:
    """Return the option with the smallest rate of false alarms, where the default needs more held-out items."""
    from retrieval.applications.anomaly.conformal import needed_items, percent, possible_rate
    from retrieval.applications.anomaly.detection import FALSE_ALARMS

    count = detector.record.n_distinct
    return [] if count >= needed_items(FALSE_ALARMS) else ["--false-alarms", percent(possible_rate(count))]


def _given(**values: Any) -> dict[str, Any]:
    """Return the options that were given; the others keep the defaults of the function that reads them."""
    return {name: value for name, value in values.items() if value is not None}


def _print_json(value: Any) -> None:
    from retrieval.report.json import finite

    _print(escaped(json.dumps(finite(value), indent=1, ensure_ascii=False, default=str, allow_nan=False)))


def _print(text: str) -> None:
    with standard_output():
        typer.echo(text)


def _global_first(arguments: list[str]) -> list[str]:
    """Put --trust before the verb, wherever it was written; behind ``--`` it is a word like any other."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--trust" not in arguments[:end]:
        return arguments
    return ["--trust", *(word for word in arguments[:end] if word != "--trust"), *arguments[end:]]


def _bare_as_auto(arguments: list[str], name: str) -> list[str]:
    """Write ``name=auto`` for an option that may go without a value: typer has no such options."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    followers = [*arguments[1:], "--"]
    return [
        f"{name}=auto" if word == name and position < end and after.startswith("-") else word
        for position, (word, after) in enumerate(zip(arguments, followers, strict=False))
    ]


def _app_for(arguments: list[str]) -> typer.Typer:
    """Return the command line with the verb that is asked for alone: typer would prepare all of them."""
    verb = next((word for word in arguments if not word.startswith("-")), "")
    name = verb.replace("-", "_")
    commands = [info for info in app.registered_commands if getattr(info.callback, "__name__", "") == name]
    groups = [info for info in app.registered_groups if info.name == verb]
    if not commands and not groups:  # none, or a wrong one, whose neighbours are suggested
        return app
    narrowed = copy(app)
    narrowed.registered_commands, narrowed.registered_groups = commands, groups
    return narrowed


def main() -> None:
    """Run the command line.

    An error of the user's making is one sentence and exit code 2; Ctrl-C, SIGTERM and SIGHUP are exit code 1.
    """
    debug = "--debug" in sys.argv
    arguments = _global_first([argument for argument in sys.argv[1:] if argument != "--debug"])
    arguments = _bare_as_auto(arguments, "--contaminated")
    if not debug:
        warnings.showwarning = _warn  # type: ignore[assignment]
    with stopping() as stopped:
        try:
            fit_into_memory(arguments)
            code = copy_context().run(_app_for(arguments), arguments, prog_name="nearby", standalone_mode=False)
        except SystemExit:
            raise
        except BaseException as error:
            if stopped() or isinstance(error, typer.Abort):  # a library may have made another error of it
                _stop()
            _fail(error, debug)
    if code == INTERRUPTED:
        _stop()
    sys.exit(code)


def _stop() -> None:
    _say("nearby: stopped")
    sys.exit(1)


def _fail(error: BaseException, debug: bool) -> None:
    """Say an error in one sentence; one that is a fault of nearby, or with ``--debug`` any, by where it was raised."""
    if isinstance(error, typer.TyperException) and error.format_message().startswith("Usage: "):  # no verb is named
        typer.echo(error.format_message(), err=True)
        sys.exit(2)
    said = None if debug else _sentence(error)
    if said is None:
        typer.echo(escaped(traceback.format_exc()), nl=False, err=True)
        sys.exit(1)
    _say(f"nearby: {said}")
    sys.exit(2)


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, typer.TyperException):
        said, context = error.format_message().rstrip("."), getattr(error, "ctx", None)
        return f"{said[:1].lower()}{said[1:]} (see {context.command_path if context else 'nearby'} --help)"
    if isinstance(error, NearbyError):
        return str(error) if error.__cause__ is None else memory_sentence(error.__cause__) or str(error)
    if isinstance(error, OSError) and memory_sentence(error) is None:
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    return memory_sentence(error)


if __name__ == "__main__":
    main()
