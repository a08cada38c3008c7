"""The command line: one function per verb. It parses, calls `retrieval`, prints; nothing else."""

from __future__ import annotations

import sys

try:
    import json
    import shlex
    import traceback
    import warnings
    from collections.abc import Iterator
    from contextlib import contextmanager
    from contextvars import copy_context
    from dataclasses import replace
    from pathlib import Path
    from typing import TYPE_CHECKING, Annotated, Any

    import typer

    from encoders.errors import NearbyError, OptionError
    from encoders.numbers import counted, is_whole, read_number, read_whole, shortened
    from encoders.options import LARGEST_SEED
    from retrieval.process import fit_into_memory, memory_sentence, stopping
    from retrieval.report.terminal.printable import escaped, printable, standard_output
except KeyboardInterrupt:  # somebody pressed Ctrl-C before there was anything to stop
    sys.stderr.write("nearby: stopped\n")
    sys.exit(1)

if TYPE_CHECKING:
    from retrieval.applications.reconstructions import Copies
    from retrieval.corpora.base import BadEntries, Corpus
    from retrieval.experiment.result import Comparison

app = typer.Typer(
    name="nearby",
    help="Which representation of my data puts similar things near each other?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
recommend = typer.Typer(
    help="Factorise ratings; predict missing ones, recommend, find similar items.", no_args_is_help=True
)
app.add_typer(recommend, name="recommend")
#: What typer exits with when the user pressed Ctrl-C.
INTERRUPTED = 130
#: What `nearby demo` compares: the Euclidean space first, then the latent ones.
DEMO = {
    "digits": ["pixels", "pixels+pca:16", "pixels+deep-ae:256-128-16,epochs=60"],
    "api-docs": ["bm25", "tfidf", "tfidf+lsa:128", "bow:2000+deep-ae:500-250-128,epochs=15"],
}


def _whole(*names: str, help: str, least: int, most: int | None = None) -> Any:
    """Declare an option that is a whole number, read as in every other place."""

    def read(text: Any) -> int:
        if isinstance(text, int):  # the default
            return text
        if not is_whole(text, least, most):
            limits = f"at least {least:,}" if most is None else f"from {least:,} to {most:,}"
            raise typer.BadParameter(f"expected a whole number, {limits}; got {shortened(text)}")
        return read_whole(text)

    return typer.Option(*names, help=help, parser=read, metavar="INTEGER")


def _number(text: Any) -> float:
    try:
        return text if isinstance(text, float) else read_number(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a number; {error}") from None


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad entries out, list them, and go on.")]
Folder = Annotated[Path, typer.Argument(help="The folder of a collection.", show_default=False)]
Spaces = Annotated[list[str] | None, typer.Option("-s", "--space", help="A space of it; repeat. Default: all.")]
OneSpace = Annotated[str, typer.Option("-s", "--space", help="A space of the collection.")]
Query = Annotated[str, typer.Argument(help="A text, the path of a picture, or @id of an item.", show_default=False)]
Queries = Annotated[
    list[str] | None, typer.Argument(help="Texts, paths of pictures, or @ids of items.", show_default=False)
]
Drawn = Annotated[int | None, _whole("-n", help="Number of random items.", least=1, most=100)]
Sheet = Annotated[
    Path | None, typer.Option("-o", "--out", help="Write pictures as one .png, or contents as rows of a .npy.")
]
Seed = Annotated[int, _whole("--seed", help="Random seed.", least=0, most=LARGEST_SEED)]
#: Words of a query need no quotes.
Words = Annotated[
    list[str], typer.Argument(help="Words, the path of a picture, or @id of an item.", show_default=False)
]

Model = Annotated[Path, typer.Argument(help="The folder of a recommender.", show_default=False)]
User = Annotated[str, typer.Argument(help="Id of a user.", show_default=False)]
RatedItem = Annotated[str, typer.Argument(help="Id of an item.", show_default=False)]
Answers = Annotated[int, _whole("-k", help="How many.", least=1)]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        _print(f"nearby {version('nearby-spaces')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Send user and password, or key, to the server that a folder names.")
    ] = False,
) -> None:
    """Hold the options that stand before any verb."""
    if trust:
        from indexers.elasticsearch.trust import trust_folders

        trust_folders()


@app.command()
def encoders(as_json: Json = False) -> None:
    """List the encoders, what they read, and their options."""
    from retrieval.report.terminal.listing import encoders_json, encoders_lines

    _show_lines(encoders_json() if as_json else encoders_lines())


@app.command()
def corpora(as_json: Json = False) -> None:
    """List the corpora known by name: size, licence, and whether they are here."""
    from retrieval.corpora.registry import catalogue
    from retrieval.report.terminal.listing import corpora_lines

    found = catalogue()
    _show_lines([info._asdict() for info in found] if as_json else corpora_lines(found))


@app.command()
def index(
    corpus: Annotated[
        str | None, typer.Argument(help="A corpus name or path, e.g. digits or articles.csv?text=body.")
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option("-s", "--space", help="A space, e.g. pixels+pca:30; repeat. Default: some that suit the corpus."),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the collection.")] = None,
    kind: Annotated[
        str, typer.Option("--index", help="The index of every space, e.g. faiss:HNSW32 or elasticsearch:URL/NAME.")
    ] = "auto",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build the served index again, then swap it in.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume an interrupted load; fail if there is none.")
    ] = False,
    shard: Annotated[str | None, typer.Option(help="Load one shard into Elasticsearch, e.g. 3/16.")] = None,
    finish: Annotated[bool, typer.Option("--finish", help="All shards are loaded: check and serve them.")] = False,
    skip_bad: SkipBad = False,
) -> None:
    """Store a corpus and index it in one or more spaces; run again to go on after an interruption or add spaces."""
    from retrieval.collection.indexing import Plan, index_as_planned
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries

    plan = Plan(tuple(space or ()), out, kind, rebuild, resume, shard, finish)
    plan.require_possible(corpus is not None)
    with _reported(BadEntries(skip_bad)) as bad:
        opened = None if corpus is None else open_data(corpus, on_bad=bad)
        if opened is not None and not space:
            plan = replace(plan, specs=tuple(_default_spaces(opened)))
        collection = index_as_planned(plan, opened, bad, _say)
    if collection is None:
        _say("next: when all shards are loaded,  nearby index CORPUS --finish -o FOLDER  with the same -s and --index")
        return
    items, spaces = counted(collection.items.size, "item"), counted(len(collection.spaces), "space")
    _say(f"{collection.folder}: {items} in {spaces}")
    _say(f"next: {shlex.join(['nearby', 'search', str(out), f'@{next(iter(collection.items)).id}'])}")


def _default_spaces(corpus: Corpus) -> list[str]:
    """Return spaces for a corpus of which none were named, and say which."""
    from retrieval.spaces.defaults import default_spaces

    specs = default_spaces(corpus)
    _say(f"no space was named: taking  {' '.join(f'-s {spec}' for spec in specs)}")
    return specs


@app.command()
def train(
    corpus: Annotated[str, typer.Argument(help="A corpus name or path, e.g. digits or articles.csv?text=body.")],
    space: Annotated[str, typer.Argument(help="What to fit, e.g. pixels+deep-ae:256-128-16.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the encoder.")],
    time_budget: Annotated[
        str | None, typer.Option(help="Time limit: 90s, 10m, 1h. Time already spent counts when resuming.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume a training that was stopped.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over, and replace what is there.")] = False,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Fit one encoder on a corpus and save it: its folder is then a space, as in -s FOLDER.

    A training that is stopped, or whose loss diverges, is kept in OUT.work; --resume goes on with it, and may change
    epochs, minutes, learning-rate, patience and batch-size.
    """
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.spaces.train import Workplace, read_minutes, train_encoder

    minutes = None if time_budget is None else read_minutes(time_budget)
    try:
        with _reported(BadEntries(skip_bad)) as bad, _watching() as watch:
            opened = Unique(open_data(corpus, on_bad=bad), bad)
            made = train_encoder(opened, space, out, minutes, resume, fresh, watch, _say)
    except KeyboardInterrupt:
        _say(f"nearby: stopped; {Workplace(out).left()}")
        raise typer.Exit(1) from None
    if as_json:
        _print_json(made.to_json())
    _say(made.line())
    _say(f"next: {shlex.join(['nearby', 'index', corpus, '-s', made.as_space, '-o', 'FOLDER'])}")


@app.command()
def add(
    folder: Folder,
    corpus: Annotated[str, typer.Argument(help="A corpus name or path whose items are added.")],
    skip_bad: SkipBad = False,
) -> None:
    """Add the items of a corpus to a collection; items whose id is there are replaced."""
    from retrieval.collection.open import open_addition, open_collection
    from retrieval.corpora.base import BadEntries, unique_ids

    collection = open_collection(folder)
    with _reported(BadEntries(skip_bad)) as bad:
        _, change = collection.put(unique_ids(open_addition(collection, corpus, bad), bad), _say)
    _print(f"{len(change.added):,} added, {len(change.changed):,} changed, {change.unchanged:,} unchanged")


@app.command()
def delete(
    folder: Folder,
    ids: Annotated[list[str], typer.Argument(help="Ids of items.", show_default=False)],
) -> None:
    """Remove items from a collection, in every space."""
    from retrieval.collection.open import open_collection

    left = open_collection(folder).delete(list(dict.fromkeys(ids)))
    _print(f"{len(dict.fromkeys(ids)):,} removed, {left.items.size:,} left")


@app.command()
def info(
    folder: Annotated[str, typer.Argument(help="The folder of a collection, or elasticsearch:URL/NAME.")],
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove stale indexes of this collection, unfinished loads too.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --clean: also those that another nearby collection has made.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every byte of a collection with its checksums.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell what a collection holds: items, spaces, sizes; of one in Elasticsearch, also which indexes are stale."""
    from retrieval.collection.elasticsearch.cleanup import indexes_at, indexes_of, is_address, remove_stale
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.elasticsearch import everything_json, everything_lines, indexes_json, indexes_lines

    if yes and not clean:
        raise OptionError("--yes goes with --clean: add --clean, or leave --yes out")
    if verify and (clean or is_address(folder)):
        raise OptionError("--verify reads the folder of a collection: give one, without --clean")
    if verify:
        from retrieval.collection.verification import verify as verify_collection

        verified = verify_collection(Path(folder))
        _show_lines(verified.to_json() if as_json else verified.lines())
        verified.require_whole()
        return
    if clean or is_address(folder):
        found = indexes_at(folder) if is_address(folder) else indexes_of(open_collection(folder))
        found = remove_stale(found, yes) if clean else found
        _show_lines(indexes_json(found) if as_json else indexes_lines(found, clean))
        return
    collection = open_collection(folder)
    _show_lines(everything_json(collection) if as_json else everything_lines(collection))


@app.command()
def search(
    folder: Folder,
    query: Words,
    space: Spaces = None,
    k: Annotated[int, _whole("-k", help="Answers of each space.", least=1)] = 10,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="Only items with label=x, or year=2004 of metadata; repeat.")
    ] = None,
    fuse: Annotated[str | None, typer.Option(help="rrf: the spaces' lists as one, by reciprocal rank fusion.")] = None,
    depth: Annotated[
        int | None, _whole("--depth", help="Hits of each space that are fused.  [default: 100, or k]", least=1)
    ] = None,
    shortlist: Annotated[str | None, typer.Option(help="A space, e.g. of bits, whose nearest are re-ranked.")] = None,
    rerank: Annotated[str | None, typer.Option(help="The space that puts the shortlist in order.")] = None,
    candidates: Annotated[
        int | None, _whole("--candidates", help="Items on the shortlist.  [default: 1000]", least=1)
    ] = None,
    radius: Annotated[int | None, _whole("--radius", help="Or all items within this number of bits.", least=0)] = None,
    as_json: Json = False,
) -> None:
    """Find what is near a query: in one or more spaces side by side, fused, or in one on the shortlist of another."""
    from retrieval.collection.filters import Filter
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.hybrid import fused_json, fused_lines
    from retrieval.report.terminal.listing import answers_json, answers_lines, reranked_json, reranked_lines
    from retrieval.search.hybrid import fused_search, require_fusible
    from retrieval.search.rerank import plan_of
    from retrieval.search.rerank import rerank as rerank_shortlist
    from retrieval.search.searcher import Searcher, read_query

    wanted = [Filter.read(text) for text in filters or []]
    require_fusible(fuse, depth)
    others = [name for name, given in (("--fuse", fuse), ("--filter", filters)) if given]
    plan = plan_of(shortlist, rerank, candidates, radius, space, others)
    collection = open_collection(folder)
    if plan is not None:
        asked = read_query(collection, " ".join(query))
        reranked = rerank_shortlist(collection, plan, asked, k)
        _show_lines(reranked_json(asked, reranked) if as_json else reranked_lines(asked, reranked))
        return
    searcher = Searcher(collection, space)
    asked = read_query(collection, " ".join(query))
    if fuse is not None:
        fused = fused_search(searcher, asked, k, depth, wanted)
        _show_lines(fused_json(asked, fused, wanted) if as_json else fused_lines(asked, fused, wanted))
        return
    found = searcher.search(asked, k, wanted)
    _show_lines(answers_json(asked, found, wanted) if as_json else answers_lines(asked, found, wanted))


@app.command()
def encode(
    folder: Folder,
    query: Query,
    space: Annotated[str, typer.Option("-s", "--space", help="A space of the collection.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the code as a .npy file.")] = None,
    as_json: Json = False,
) -> None:
    """Print the code of one item or query, or write it as .npy."""
    from retrieval.applications.reconstruction import code_of
    from retrieval.collection.open import open_collection

    code = code_of(open_collection(folder), space, query)
    if out is not None:
        code.write(out)
        _say(f"code: {out}")
    if out is None or as_json:
        _show_lines(code.to_json() if as_json else code.lines())


@app.command()
def decode(
    folder: Folder,
    code: Annotated[Path, typer.Argument(help="A .npy file of codes, as 'encode -o' writes it.")],
    space: Annotated[str, typer.Option("-s", "--space", help="The space of the codes.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write pictures as .png, vectors as .npy.")] = None,
    as_json: Json = False,
) -> None:
    """Turn codes back into what they stand for: a picture, or the words they weigh most."""
    from retrieval.applications.reconstruction import decoded
    from retrieval.collection.open import open_collection

    _show_copies(decoded(open_collection(folder), space, code), out, as_json)


@app.command()
def reconstruct(
    folder: Folder,
    query: Queries = None,
    space: Spaces = None,
    n: Drawn = None,
    seed: Seed = 0,
    out: Sheet = None,
    as_json: Json = False,
) -> None:
    """Encode items and decode them again, in one or more spaces: see what each space keeps of them."""
    from retrieval.applications.reconstruction import asked_items, reconstructions
    from retrieval.collection.open import open_collection

    collection = open_collection(folder)
    _show_copies(reconstructions(collection, asked_items(collection, query or [], n, seed), space), out, as_json)


@app.command()
def denoise(
    folder: Folder,
    query: Queries = None,
    space: Spaces = None,
    noise: Annotated[
        str | None, typer.Option(help="Spoil first: gaussian:0.5, masking:0.3 or salt-and-pepper:0.2.")
    ] = None,
    n: Drawn = None,
    seed: Seed = 0,
    out: Sheet = None,
    as_json: Json = False,
) -> None:
    """Clean pictures by encoding and decoding them; with --noise, spoil them first and tell what that gains."""
    from retrieval.applications.denoising import Noise, denoised
    from retrieval.applications.reconstruction import asked_items
    from retrieval.collection.open import open_collection

    spoiling = None if noise is None else Noise.read(noise)
    collection = open_collection(folder)
    asked = asked_items(collection, query or [], n, seed)
    _show_copies(denoised(collection, asked, space, spoiling, seed), out, as_json)


@app.command()
def sample(
    folder: Folder,
    space: OneSpace,
    n: Annotated[int, _whole("-n", help="How many.", least=1, most=10_000)] = 64,
    seed: Seed = 0,
    out: Sheet = None,
    as_json: Json = False,
) -> None:
    """Make new items: decode draws of a space's prior, or of a Gaussian fitted to its codes."""
    from retrieval.applications.generation import sampled
    from retrieval.collection.open import open_collection

    _show_copies(sampled(open_collection(folder), space, n, seed), out, as_json)


@app.command()
def interpolate(
    folder: Folder,
    start: Annotated[str, typer.Argument(metavar="A", help="Where to begin: as a query.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="B", help="Where to end.", show_default=False)],
    space: OneSpace,
    steps: Annotated[int, _whole("--steps", help="Both ends included.", least=2, most=100)] = 10,
    out: Sheet = None,
    as_json: Json = False,
) -> None:
    """Decode what lies between the codes of two items."""
    from retrieval.applications.generation import interpolated
    from retrieval.collection.open import open_collection

    _show_copies(interpolated(open_collection(folder), space, start, end, steps), out, as_json)


@app.command()
def classify(
    folder: Folder,
    query: Query,
    space: OneSpace,
    k: Annotated[int, _whole("-k", help="Labels shown.", least=1)] = 3,
    as_json: Json = False,
) -> None:
    """Tell the label of an item with probabilities, by a space that was trained on labels."""
    from retrieval.applications.classification import classified
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.listing import aligned

    found = classified(open_collection(folder), space, query, k)
    rows = [[label, f"{probability:.4f}"] for label, probability in found.labels]
    _show_lines(found.to_json() if as_json else aligned(["label", "probability"], rows, right=[1]))


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A TREC run file.")],
    qrels: Annotated[Path, typer.Argument(help="A TREC qrels file.")],
    measure: Annotated[list[str] | None, typer.Option("-m", "--measure", help="E.g. nDCG@10; repeat.")] = None,
    as_json: Json = False,
) -> None:
    """Measure a TREC run against judgements, equal to trec_eval."""
    from retrieval.evaluation.evaluate import evaluate_run
    from retrieval.evaluation.trec import read_qrels, read_run
    from retrieval.report.terminal.listing import aligned

    means = evaluate_run(read_run(run), read_qrels(qrels), measure or ["nDCG@10", "AP", "RR", "P@10", "R@100"]).means
    rows = [[name, f"{value:.4f}"] for name, value in means.items()]
    _show_lines(means if as_json else aligned(["measure", "mean"], rows, right=[1]))


@app.command()
def compare(
    corpus: Annotated[str, typer.Argument(help="A corpus name or path, or the folder of a collection.")],
    space: Spaces = None,
    index: Annotated[
        list[str] | None, typer.Option(help="The index of every space, or auto; repeat to compare. Default: auto.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder for the HTML report.")] = None,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Index a corpus in several spaces (or open a collection), ask the same queries in each, compare the answers."""
    from retrieval.collection.generations import is_collection
    from retrieval.collection.open import open_collection, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.compare import compare_collection
    from retrieval.experiment.provenance import provenance

    _require_report_folder(out)
    if is_collection(corpus):
        if (index or ["auto"]) != ["auto"] or skip_bad:
            raise OptionError(f"{corpus} is a collection, indexed already: leave --index and --skip-bad out")
        comparison = compare_collection(open_collection(corpus), space, provenance=provenance())
    else:
        with _reported(BadEntries(skip_bad)) as bad:
            opened = Unique(open_data(corpus, on_bad=bad), bad)
            specs = space or _default_spaces(opened)
            comparison = compare_spaces(opened, specs, index or ["auto"], provenance=provenance())
    _show([comparison], out, as_json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the HTML report.")] = Path("nearby-demo"),
    as_json: Json = False,
) -> None:
    """Compare spaces on two corpora that need no download: handwritten digits and API documentation."""
    from retrieval.collection.open import open_data
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.provenance import provenance

    _require_report_folder(out)
    comparisons = []
    for corpus, spaces in DEMO.items():
        _say(f"comparing {len(spaces)} spaces on {corpus} ...")
        comparisons.append(compare_spaces(open_data(corpus), spaces, provenance=provenance()))
    _show(comparisons, out, as_json)


@app.command()
def analyze(
    corpus: Annotated[str, typer.Argument(help="A corpus name or path, or the folder of a collection.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the page and its figures.")],
    space: Spaces = None,
    part: Annotated[list[str] | None, typer.Option("--part", help="Only this part of it; repeat.")] = None,
    sample: Annotated[int, _whole("--sample", help="Items that are looked at.", least=4)] = 1000,
    clusters: Annotated[
        int | None, _whole("--clusters", help="Number of clusters to cut the tree into.", least=2)
    ] = None,
    height: Annotated[
        float | None, typer.Option(help="Cut the tree at this height.", parser=_number, metavar="NUMBER")
    ] = None,
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Look into spaces: components, sums, error by width, trees, clusters beside labels, maps, posteriors of VAEs."""
    from retrieval.analysis.study import PARTS
    from retrieval.analysis.study import analyze as analyze_spaces
    from retrieval.analysis.target import read_target
    from retrieval.corpora.base import BadEntries
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.analysis import write_analysis
    from retrieval.report.terminal.analysis import analysis_json, analysis_lines

    _require_report_folder(out)
    with _reported(BadEntries(skip_bad)) as bad:
        items, encoders = read_target(corpus, space, bad)
        found = analyze_spaces(items, encoders, _say, part or PARTS, sample, clusters, height)
    found.provenance = provenance()
    _show_lines(analysis_json(found) if as_json else analysis_lines(found))
    _say(f"analysis: {write_analysis(found, out)}")


@recommend.command("fit")
def recommend_fit(
    ratings: Annotated[
        str, typer.Argument(help="A corpus of ratings: ml-100k, ratings-example, or a .csv of user, item, rating.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the recommender.")],
    spec: Annotated[str, typer.Option("-s", "--space", help="The factorisation, e.g. mf:15,solver=als.")] = "mf",
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace the recommender that is there.")] = False,
    skip_bad: SkipBad = False,
) -> None:
    """Factorise a table of ratings; of a small one, print the factors."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries
    from retrieval.report.terminal.recommendations import fitted_lines

    Recommender.require_new(out, fresh)
    bad = BadEntries(skip_bad)
    recommender = Recommender.fit(open_data(ratings, on_bad=bad), spec)
    _report(bad)
    recommender.save(out)
    _show_lines(fitted_lines(recommender))
    _say(f"recommender: {out}; next: nearby recommend for {out} {recommender.users[0]}")


@recommend.command("predict")
def recommend_predict(folder: Model, user: User, item: RatedItem, as_json: Json = False) -> None:
    """Predict how a user would rate an item."""
    from retrieval.applications.recommendation import Recommender

    recommender = Recommender.load(folder)
    value, given = recommender.predict(user, item), recommender.rated(user, item)
    if as_json:
        _print_json({"user": user, "item": item, "predicted": value, "rated": given})
    else:
        typer.echo(f"{value:.3f}" + ("" if given is None else f"  (rated {given:g})"))


@recommend.command("similar")
def recommend_similar(folder: Model, item: RatedItem, k: Answers = 10, as_json: Json = False) -> None:
    """Find items that are liked alike: cosine of their factors."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    found = Recommender.load(folder).similar(item, k)
    _show_lines(suggestions_json(found, "cosine") if as_json else suggestions_lines(found, "cosine"))


@recommend.command("for")
def recommend_for(folder: Model, user: User, k: Answers = 10, as_json: Json = False) -> None:
    """Recommend items that a user has not rated."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    found = Recommender.load(folder).recommended(user, k)
    _show_lines(suggestions_json(found, "predicted") if as_json else suggestions_lines(found, "predicted"))


def _require_report_folder(out: Path | None) -> None:
    """Refuse a folder that a report cannot be put into, before any work."""
    from retrieval.collection.generations import is_collection

    if out is not None and out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file: choose a folder for the report")
    if out is not None and is_collection(out):
        raise OptionError(f"{out} is a collection: choose another folder for the report")


def _show(comparisons: list[Comparison], out: Path | None, as_json: bool) -> None:
    from retrieval.report.html.comparison import write_page
    from retrieval.report.terminal.table import print_table, to_json

    if out is not None:  # before anything is printed: whoever reads the table may stop reading
        out.mkdir(parents=True, exist_ok=True)
        _say(f"report: {write_page(comparisons, out / 'report.html')}")
    if as_json:
        _print_json([to_json(comparison) for comparison in comparisons])
        return
    for comparison in comparisons:
        with standard_output():
            print_table(comparison)


def _show_copies(copies: Copies, out: Path | None, as_json: bool) -> None:
    """Write what spaces made of items, and print it; where nothing was measured, one of the two."""
    from retrieval.report.terminal.reconstructions import copies_json, copies_lines, write_copies

    if out is not None:
        write_copies(copies, out)
        _say(f"{copies.title if copies.title and not copies.measures else 'written'}: {out}")
    if out is None or as_json or copies.measures:
        _show_lines(copies_json(copies) if as_json else copies_lines(copies))


@contextmanager
def _watching() -> Iterator[Any]:
    """Show the losses of a training while it runs, where somebody looks."""
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
    """Say which entries were left out, above all when nothing was left and the work failed for that."""
    try:
        yield bad
    finally:
        _report(bad)


def _report(bad: BadEntries) -> None:
    for line in bad.found:
        _say(f"left out: {line}")


def _say(line: str) -> None:
    typer.echo(printable(line), err=True)


def _warn(message: Warning | str, *place: Any) -> None:
    """Say a warning as one line: where in the code it was raised helps no user."""
    _say(f"warning: {' '.join(str(message).split())}")


def _show_lines(value: Any) -> None:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        _print(printable("\n".join(value)))
    else:
        _print_json(value)


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


def main() -> None:
    """Run the command line.

    An error of the user's making is one sentence and exit code 2; Ctrl-C, SIGTERM and SIGHUP are exit code 1.
    """
    debug = "--debug" in sys.argv
    if not debug:
        warnings.showwarning = _warn  # type: ignore[assignment]
    with stopping() as stopped:
        try:
            fit_into_memory(sys.argv[1:])
            copy_context().run(app, _global_first([argument for argument in sys.argv[1:] if argument != "--debug"]))
        except SystemExit as end:
            if end.code == INTERRUPTED:
                _stop()
            raise
        except BaseException as error:
            if stopped():  # a library may have made another error of it
                _stop()
            _fail(error, debug)


def _stop() -> None:
    _say("nearby: stopped; what was finished is kept, the same command goes on from there")
    sys.exit(1)


def _fail(error: BaseException, debug: bool) -> None:
    """Say an error in one sentence; one that is a fault of nearby, or with ``--debug`` any, by where it was raised."""
    said = None if debug else _sentence(error)
    if said is None:
        typer.echo(escaped(traceback.format_exc()), nl=False, err=True)
        sys.exit(1)
    _say(f"nearby: {said}")
    sys.exit(2)


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, NearbyError):
        return str(error) if error.__cause__ is None else memory_sentence(error.__cause__) or str(error)
    if isinstance(error, OSError) and memory_sentence(error) is None:
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    return memory_sentence(error)


if __name__ == "__main__":
    main()
