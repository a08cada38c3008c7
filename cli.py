"""The command line: one function per verb. It parses, calls `retrieval`, prints; nothing else."""

from __future__ import annotations

import sys

try:
    import json
    import traceback
    import warnings
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import contextmanager
    from contextvars import copy_context
    from dataclasses import replace
    from pathlib import Path
    from typing import TYPE_CHECKING, Any, TypeVar

    import click

    from encoders.errors import NearbyError, OptionError
    from encoders.numbers import counted, is_whole, read_number, read_whole, shortened
    from encoders.options import LARGEST_SEED
    from retrieval.process import fit_into_memory, memory_sentence, stopping
    from retrieval.report.terminal.printable import escaped, printable, shell_line, standard_output
    from retrieval.report.terminal.view import Output, Styled, View
except KeyboardInterrupt:  # somebody pressed Ctrl-C before there was anything to stop
    sys.stderr.write("nearby: stopped\n")
    sys.exit(1)

if TYPE_CHECKING:
    from retrieval.applications.reconstructions import Copies
    from retrieval.corpora.base import BadEntries, Corpus
    from retrieval.experiment.result import Comparison

Verb = TypeVar("Verb", bound="Callable[..., Any] | click.Command")
#: What `nearby demo` compares: the Euclidean space first, then the latent ones.
DEMO = {
    "digits": ["pixels", "pixels+pca:16", "pixels+deep-ae:256-128-16,epochs=60"],
    "api-docs": ["bm25", "tfidf", "tfidf+lsa:128", "bow:2000+deep-ae:500-250-128,epochs=15"],
}
#: What `nearby evaluate` prints when no measure is named.
MEASURES = ("nDCG@10", "AP", "RR", "P@10", "R@100")


class Verbs(click.Group):
    """A group that lists its verbs in the order of this file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each verb with its whole first sentence, which click would cut."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(200)) for name, verb in self.commands.items()])


class Whole(click.ParamType[int]):
    """A whole number, read as everywhere in nearby."""

    name = "integer"

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text of an option; a default is a number already."""
        if isinstance(value, int):
            return value
        if not is_whole(value, self.least, self.most):
            limits = f"at least {self.least:,}" if self.most is None else f"from {self.least:,} to {self.most:,}"
            self.fail(f"expected a whole number, {limits}; got {shortened(value)}", param, ctx)
        return read_whole(value)


class Number(click.ParamType[float]):
    """A number, read as everywhere in nearby."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text of an option."""
        try:
            return read_number(value)
        except ValueError as error:
            self.fail(f"expected a number; {error}", param, ctx)


# Options and arguments that several verbs share.
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Print every option of a space, also those at their default."
)
skip_bad = click.option("--skip-bad", is_flag=True, help="Leave bad entries out, list them, and continue.")
fresh_option = click.option("--fresh", is_flag=True, help="Start over and replace what is there.")
collection_folder = click.argument("folder", type=Path, help="Folder of a collection.")
corpus_argument = click.argument("corpus", help="Name or path of a corpus, e.g. digits or 'articles.csv?text=body'.")
target = click.argument("corpus", help="Name or path of a corpus, or folder of a collection.")
spaces = click.option("-s", "--space", "space", multiple=True, metavar="SPACE", help="A space; repeat. Default: all.")
chosen_spaces = click.option(
    "-s", "--space", "space", multiple=True, metavar="SPACE",
    help="A space, e.g. pixels+pca:30; repeat. Default: some that suit the corpus.",
)  # fmt: skip
one_space = click.option("-s", "--space", "space", required=True, metavar="SPACE", help="A space of the collection.")
one_query = click.argument("query", help="A text, the path of a picture, or @id of an item.")
some_queries = click.argument("query", nargs=-1, help="Texts, paths of pictures, or @ids of items.")
random_items = click.option("-n", "count", type=Whole(1, 100), help="Number of random items.")
seed = click.option("--seed", type=Whole(0, LARGEST_SEED), default=0, help="Random seed.")
pictures = click.option(
    "-o", "--out", type=Path, metavar="FILE", help="Write pictures as one .png, or vectors as rows of a .npy."
)
recommender_folder = click.argument("folder", type=Path, help="Folder of a recommender.")
user_argument = click.argument("user", help="Id of a user.")
item_argument = click.argument("item", help="Id of an item.")


def out_folder(what: str, **details: Any) -> Callable[[Verb], Verb]:
    """Return the option that names the folder of what a verb writes."""
    return click.option("-o", "--out", type=Path, metavar="FOLDER", help=what, **details)


def top_k(what: str, k: int) -> Callable[[Verb], Verb]:
    """Return the option that says how many answers are printed."""
    return click.option("-k", "k", type=Whole(1), default=k, help=what)


@click.group(
    cls=Verbs,
    help="Which representation of my data puts similar things near each other?",
    context_settings={"max_content_width": 100, "show_default": True, "help_option_names": ["--help"]},
)
@click.version_option(package_name="nearby-spaces", prog_name="nearby", message="%(prog)s %(version)s")
@click.option("--trust", is_flag=True, help="Send your credentials to the server that a folder names.")
def app(trust: bool) -> None:
    """Hold the options that stand before any verb."""
    if trust:
        from indexers.elasticsearch.trust import trust_folders

        trust_folders()


@app.command()
@as_json
def encoders(as_json: bool) -> None:
    """List the encoders, what they read, and their options."""
    from retrieval.report.terminal.listing import encoders_json, encoders_lines

    emit(Output(encoders_lines, encoders_json), as_json)


@app.command()
@as_json
def corpora(as_json: bool) -> None:
    """List the corpora known by name: size, licence, and whether they are on this machine."""
    from retrieval.corpora.registry import catalogue
    from retrieval.report.terminal.listing import corpora_json, corpora_lines

    emit(Output(corpora_lines, corpora_json, catalogue()), as_json)


@app.command()
@click.argument("corpus", required=False, help="Name or path of a corpus, e.g. digits or 'articles.csv?text=body'.")
@chosen_spaces
@out_folder("Folder of the collection.")
@click.option("--index", default="auto", help="Index of every space, e.g. faiss:HNSW32 or elasticsearch:URL/NAME.")
@click.option("--rebuild", is_flag=True, help="Rebuild the served index, then swap it in.")
@click.option("--resume", is_flag=True, help="Resume an interrupted load; fail if there is none.")
@click.option("--shard", metavar="I/N", help="Load one shard into Elasticsearch, e.g. 3/16.")
@click.option("--finish", is_flag=True, help="All shards are loaded: check and serve them.")
@skip_bad
def index(corpus: str | None, space: tuple[str, ...], out: Path | None, skip_bad: bool, **options: Any) -> None:
    """Store a corpus and index it in one or more spaces.

    Run the same command again to continue after an interruption, or with other spaces to add them.
    """
    from retrieval.collection.indexing import Plan, index_as_planned
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries

    plan = Plan(space, out, **options)
    plan.require_possible(corpus is not None)
    with _reported(BadEntries(skip_bad)) as bad:
        opened = None if corpus is None else open_data(corpus, on_bad=bad)
        if opened is not None and not space:
            plan = replace(plan, specs=_default_spaces(opened))
        collection = index_as_planned(plan, opened, bad, _say)
    if collection is None:
        _say("next: when all shards are loaded,  nearby index CORPUS --finish -o FOLDER  with the same -s and --index")
        return
    items, spaces = counted(collection.items.size, "item"), counted(len(collection.spaces), "space")
    _say(f"{collection.folder}: {items} in {spaces}")
    _say(f"next: {shell_line(['nearby', 'search', str(out), f'@{next(iter(collection.items)).id}'])}")


@app.command()
@corpus_argument
@click.argument("space", help="What to fit, e.g. pixels+deep-ae:256-128-16.")
@out_folder("Folder of the encoder.", required=True)
@click.option("--time-budget", metavar="TIME", help="Time limit, e.g. 90s. Time already spent counts when resuming.")
@click.option("--resume", is_flag=True, help="Resume a training that was stopped.")
@fresh_option
@skip_bad
@verbose_option
@as_json
def train(
    corpus: str,
    space: str,
    out: Path,
    time_budget: str | None,
    resume: bool,
    fresh: bool,
    skip_bad: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Fit one encoder on a corpus and save it; its folder is then a space, as in -s FOLDER.

    A training that was stopped, or whose loss diverged, is kept in OUT.work. --resume continues it; you may change
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
        sys.exit(1)
    if as_json:
        _print_json(made.to_json())
    _say(made.line())
    if verbose:
        _say(f"all options: {made.encoder.spec(full=True)}")
    _say(f"next: {shell_line(['nearby', 'index', corpus, '-s', made.as_space, '-o', 'FOLDER'])}")


@app.command()
@collection_folder
@click.argument("corpus", help="Name or path of the corpus whose items are added.")
@skip_bad
def add(folder: Path, corpus: str, skip_bad: bool) -> None:
    """Add the items of a corpus to a collection; an item whose id is there is replaced."""
    from retrieval.collection.open import open_addition, open_collection
    from retrieval.corpora.base import BadEntries, unique_ids

    collection = open_collection(folder)
    with _reported(BadEntries(skip_bad)) as bad:
        _, change = collection.put(unique_ids(open_addition(collection, corpus, bad), bad), _say)
    _print(f"{len(change.added):,} added, {len(change.changed):,} changed, {change.unchanged:,} unchanged")


@app.command()
@collection_folder
@click.argument("ids", nargs=-1, required=True, help="Ids of items.")
def delete(folder: Path, ids: tuple[str, ...]) -> None:
    """Remove items from a collection, in every space."""
    from retrieval.collection.open import open_collection

    removed = list(dict.fromkeys(ids))
    left = open_collection(folder).delete(removed)
    _print(f"{len(removed):,} removed, {left.items.size:,} left")


@app.command()
@click.argument("folder", help="Folder of a collection, or elasticsearch:URL/NAME.")
@click.option("--clean", is_flag=True, help="Remove stale indexes of this collection, unfinished loads too.")
@click.option("--yes", is_flag=True, help="With --clean: also those that another nearby collection made.")
@click.option("--verify", is_flag=True, help="Compare every byte of a collection with its checksums.")
@verbose_option
@as_json
def info(folder: str, clean: bool, yes: bool, verify: bool, verbose: bool, as_json: bool) -> None:
    """Show what a collection holds: items, spaces, sizes; in Elasticsearch also stale indexes."""
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
        emit(verified, as_json)
        verified.require_whole()
    elif clean or is_address(folder):
        found = indexes_at(folder) if is_address(folder) else indexes_of(open_collection(folder))
        found = remove_stale(found, yes) if clean else found
        emit(Output(lambda: indexes_lines(found, clean), lambda: indexes_json(found)), as_json)
    else:
        collection = open_collection(folder)
        emit(Output(lambda: everything_lines(collection, verbose), lambda: everything_json(collection)), as_json)


@app.command()
@collection_folder
@click.argument("query", nargs=-1, required=True, help="Words, the path of a picture, or @id of an item.")
@spaces
@top_k("Answers of each space.", 10)
@click.option(
    "--filter", "filters", multiple=True, metavar="KEY=VALUE", help="Only items with label=x, or year=2004; repeat."
)
@click.option("--fuse", metavar="rrf", help="Join the lists of the spaces by reciprocal rank fusion.")
@click.option("--depth", type=Whole(1), help="Hits of each space that are fused.  [default: 100, or k]")
@click.option("--shortlist", metavar="SPACE", help="Space that finds the candidates, e.g. one of bits.")
@click.option("--rerank", metavar="SPACE", help="Space that orders the candidates.")
@click.option("--candidates", type=Whole(1), help="Items on the shortlist.  [default: 1000]")
@click.option("--radius", type=Whole(0), help="Or all items that differ by at most this number of bits.")
@verbose_option
@as_json
def search(folder: Path, query: tuple[str, ...], verbose: bool, as_json: bool, **options: Any) -> None:
    """Find the items nearest to a query: in each space, fused into one list, or re-ranked from a shortlist."""
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.listing import search_json, search_lines
    from retrieval.search.request import SearchRequest

    request = SearchRequest.read(" ".join(query), **options)
    answer = request.answer(open_collection(folder))
    emit(Output(lambda: search_lines(answer, verbose), lambda: search_json(answer)), as_json)


@app.command()
@collection_folder
@one_query
@one_space
@click.option("-o", "--out", type=Path, metavar="FILE", help="Write the code as a .npy file.")
@as_json
def encode(folder: Path, query: str, space: str, out: Path | None, as_json: bool) -> None:
    """Print the code of one item or query, or write it as .npy."""
    from retrieval.applications.reconstruction import code_of
    from retrieval.collection.open import open_collection

    code = code_of(open_collection(folder), space, query)
    if out is not None:
        code.write(out)
        _say(f"code: {out}")
    if out is None or as_json:
        emit(code, as_json)


@app.command()
@collection_folder
@click.argument("code", type=Path, help="A .npy file of codes, as 'encode -o' writes it.")
@one_space
@pictures
@as_json
def decode(folder: Path, code: Path, space: str, out: Path | None, as_json: bool) -> None:
    """Turn codes back into pictures, vectors, or the words with the largest weights."""
    from retrieval.applications.reconstruction import decoded
    from retrieval.collection.open import open_collection

    _show_copies(decoded(open_collection(folder), space, code), out, as_json)


@app.command()
@collection_folder
@some_queries
@spaces
@random_items
@seed
@pictures
@as_json
def reconstruct(
    folder: Path,
    query: tuple[str, ...],
    space: tuple[str, ...],
    count: int | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Encode items and decode them again: see what each space keeps of them."""
    from retrieval.applications.reconstruction import asked_items, reconstructions
    from retrieval.collection.open import open_collection

    collection = open_collection(folder)
    _show_copies(reconstructions(collection, asked_items(collection, query, count, seed), space), out, as_json)


@app.command()
@collection_folder
@some_queries
@spaces
@click.option("--noise", metavar="NOISE", help="Add noise first: gaussian:0.5, masking:0.3 or salt-and-pepper:0.2.")
@random_items
@seed
@pictures
@as_json
def denoise(
    folder: Path,
    query: tuple[str, ...],
    space: tuple[str, ...],
    noise: str | None,
    count: int | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Clean pictures by encoding and decoding them; with --noise, add noise first and measure the gain."""
    from retrieval.applications.denoising import Noise, denoised
    from retrieval.applications.reconstruction import asked_items
    from retrieval.collection.open import open_collection

    added = None if noise is None else Noise.read(noise)
    collection = open_collection(folder)
    asked = asked_items(collection, query, count, seed)
    _show_copies(denoised(collection, asked, space, added, seed), out, as_json)


@app.command()
@collection_folder
@one_space
@click.option("-n", "count", type=Whole(1, 10_000), default=64, help="Number of new items.")
@seed
@pictures
@as_json
def sample(folder: Path, space: str, count: int, seed: int, out: Path | None, as_json: bool) -> None:
    """Make new items: decode samples of the prior of a space, or of a Gaussian fitted to its codes."""
    from retrieval.applications.generation import sampled
    from retrieval.collection.open import open_collection

    _show_copies(sampled(open_collection(folder), space, count, seed), out, as_json)


@app.command()
@collection_folder
@click.argument("start", metavar="A", help="First item: a text, the path of a picture, or @id.")
@click.argument("end", metavar="B", help="Last item.")
@one_space
@click.option("--steps", type=Whole(2, 100), default=10, help="Number of items, A and B included.")
@pictures
@as_json
def interpolate(folder: Path, start: str, end: str, space: str, steps: int, out: Path | None, as_json: bool) -> None:
    """Decode points on the line between the codes of two items."""
    from retrieval.applications.generation import interpolated
    from retrieval.collection.open import open_collection

    _show_copies(interpolated(open_collection(folder), space, start, end, steps), out, as_json)


@app.command()
@collection_folder
@one_query
@one_space
@top_k("Number of labels.", 3)
@as_json
def classify(folder: Path, query: str, space: str, k: int, as_json: bool) -> None:
    """Predict the label of an item, with probabilities, by a space that was trained on labels."""
    from retrieval.applications.classification import Verdict, classified
    from retrieval.collection.open import open_collection
    from retrieval.report.terminal.listing import labels_lines

    emit(Output(labels_lines, Verdict.to_json, classified(open_collection(folder), space, query, k)), as_json)


@app.command()
@click.argument("run", type=Path, help="A TREC run file.")
@click.argument("qrels", type=Path, help="A TREC qrels file.")
@click.option("-m", "--measure", multiple=True, metavar="MEASURE", help="E.g. nDCG@10; repeat.")
@as_json
def evaluate(run: Path, qrels: Path, measure: tuple[str, ...], as_json: bool) -> None:
    """Measure a TREC run against judgements, with the numbers of trec_eval.

    A judged query without a line in the run counts as 0.
    """
    from retrieval.evaluation.evaluate import evaluate_run
    from retrieval.evaluation.trec import read_qrels, read_run
    from retrieval.report.terminal.listing import means_lines

    means = evaluate_run(read_run(run), read_qrels(qrels), measure or MEASURES).means
    emit(Output(means_lines, dict, means), as_json)


@app.command()
@target
@chosen_spaces
@click.option(
    "--index", "index", multiple=True, help="Index of every space; repeat to compare several.  [default: auto]"
)
@out_folder("Folder for the HTML report.")
@skip_bad
@verbose_option
@as_json
def compare(
    corpus: str,
    space: tuple[str, ...],
    index: tuple[str, ...],
    out: Path | None,
    skip_bad: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Ask the same queries in several spaces and compare the answers.

    CORPUS is indexed first; a collection is used as it is.
    """
    from retrieval.collection.generations import is_collection
    from retrieval.collection.open import open_collection, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.compare import compare_collection
    from retrieval.experiment.provenance import provenance

    _require_report_folder(out)
    indexes = index or ("auto",)
    if is_collection(corpus):
        if indexes != ("auto",) or skip_bad:
            raise OptionError(f"{corpus} is a collection, indexed already: leave --index and --skip-bad out")
        comparison = compare_collection(open_collection(corpus), space, provenance=provenance())
    else:
        with _reported(BadEntries(skip_bad)) as bad:
            opened = Unique(open_data(corpus, on_bad=bad), bad)
            specs = space or _default_spaces(opened)
            comparison = compare_spaces(opened, specs, indexes, provenance=provenance())
    _show_comparisons([comparison], out, verbose, as_json)


@app.command()
@out_folder("Folder for the HTML report.", default=Path("nearby-demo"))
@verbose_option
@as_json
def demo(out: Path, verbose: bool, as_json: bool) -> None:
    """Compare spaces on two corpora that need no download: handwritten digits and API documentation."""
    from retrieval.collection.open import open_data
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.provenance import provenance

    _require_report_folder(out)
    comparisons = []
    for corpus, specs in DEMO.items():
        _say(f"comparing {len(specs)} spaces on {corpus} ...")
        comparisons.append(compare_spaces(open_data(corpus), specs, provenance=provenance()))
    _show_comparisons(comparisons, out, verbose, as_json)


@app.command()
@target
@out_folder("Folder for the page and its figures.", required=True)
@chosen_spaces
@click.option("--part", multiple=True, metavar="PART", help="Only this part of the analysis; repeat.")
@click.option("--sample", type=Whole(4), default=1000, help="Number of items to look at.")
@click.option("--clusters", type=Whole(2), help="Number of clusters to cut the tree into.")
@click.option("--height", type=Number(), help="Cut the tree at this height.")
@skip_bad
@verbose_option
@as_json
def analyze(
    corpus: str,
    out: Path,
    space: tuple[str, ...],
    part: tuple[str, ...],
    sample: int,
    clusters: int | None,
    height: float | None,
    skip_bad: bool,
    verbose: bool,
    as_json: bool,
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
        items, fitted = read_target(corpus, space, bad)
        found = analyze_spaces(items, fitted, _say, part or PARTS, sample, clusters, height)
    found.provenance = provenance()
    options = {encoder.spec(): encoder.spec(full=True) for encoder in fitted} if verbose else None
    emit(Output(lambda: analysis_lines(found, options), lambda: analysis_json(found)), as_json)
    _say(f"analysis: {write_analysis(found, out)}")


@app.group(cls=Verbs)
def recommend() -> None:
    """Factorise ratings: predict missing ones, recommend items, find similar items."""


@recommend.command("fit")
@click.argument("ratings", help="Corpus of ratings: ml-100k, ratings-example, or a .csv of user, item, rating.")
@out_folder("Folder of the recommender.", required=True)
@click.option("-s", "--space", "spec", default="mf", metavar="SPACE", help="Factorisation, e.g. mf:15,solver=als.")
@fresh_option
@skip_bad
@verbose_option
@as_json
def recommend_fit(
    ratings: str, out: Path, spec: str, fresh: bool, skip_bad: bool, verbose: bool, as_json: bool
) -> None:
    """Factorise a table of ratings; print the factors of a small one."""
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
@recommender_folder
@user_argument
@item_argument
@as_json
def recommend_predict(folder: Path, user: str, item: str, as_json: bool) -> None:
    """Predict how a user would rate an item."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import prediction_json, prediction_lines

    emit(Output(prediction_lines, prediction_json, Recommender.load(folder), user, item), as_json)


@recommend.command("similar")
@recommender_folder
@item_argument
@top_k("Number of items.", 10)
@as_json
def recommend_similar(folder: Path, item: str, k: int, as_json: bool) -> None:
    """Find the items whose factors have the largest cosine with those of an item."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    emit(Output(suggestions_lines, suggestions_json, Recommender.load(folder).similar(item, k), "cosine"), as_json)


@recommend.command("for")
@recommender_folder
@user_argument
@top_k("Number of items.", 10)
@as_json
def recommend_for(folder: Path, user: str, k: int, as_json: bool) -> None:
    """Recommend items that a user has not rated."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    found = Recommender.load(folder).recommended(user, k)
    emit(Output(suggestions_lines, suggestions_json, found, "predicted"), as_json)


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
    _say(f"no space is named, so these are taken:  {' '.join(f'-s {spec}' for spec in specs)}")
    return tuple(specs)


def _require_report_folder(out: Path | None) -> None:
    """Refuse a folder that cannot hold a report, before any work."""
    from retrieval.collection.generations import is_collection

    if out is not None and out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file: choose a folder for the report")
    if out is not None and is_collection(out):
        raise OptionError(f"{out} is a collection: choose another folder for the report")


def _show_comparisons(comparisons: Sequence[Comparison], out: Path | None, verbose: bool, as_json: bool) -> None:
    from retrieval.report.html.comparison import write_page
    from retrieval.report.terminal.table import comparisons_json, comparisons_lines

    if out is not None:  # before anything is printed: whoever reads the table may stop reading
        out.mkdir(parents=True, exist_ok=True)
        _say(f"report: {write_page(comparisons, out / 'report.html')}")
    emit(Output(lambda: comparisons_lines(comparisons, verbose), lambda: comparisons_json(comparisons)), as_json)


def _show_copies(copies: Copies, out: Path | None, as_json: bool) -> None:
    """Write what spaces made of items, and print it; where nothing was measured, one of the two."""
    from retrieval.report.terminal.reconstructions import copies_json, copies_lines, write_copies

    if out is not None:
        write_copies(copies, out)
        _say(f"{copies.title if copies.title and not copies.measures else 'written'}: {out}")
    if out is None or as_json or copies.measures:
        emit(Output(copies_lines, copies_json, copies), as_json)


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
    click.echo(printable(line), err=True)


def _warn(message: Warning | str, *place: Any) -> None:
    """Say a warning as one line: where in the code it was raised helps no user."""
    _say(f"warning: {' '.join(str(message).split())}")


def _print_json(value: Any) -> None:
    from retrieval.report.json import finite

    _print(escaped(json.dumps(finite(value), indent=1, ensure_ascii=False, default=str, allow_nan=False)))


def _print(text: str) -> None:
    with standard_output():
        click.echo(text)


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
    arguments = _global_first([argument for argument in sys.argv[1:] if argument != "--debug"])
    if not debug:
        warnings.showwarning = _warn  # type: ignore[assignment]
    with stopping() as stopped:
        try:
            fit_into_memory(arguments)
            code = copy_context().run(app.main, arguments, prog_name="nearby", standalone_mode=False)
        except SystemExit:
            raise
        except BaseException as error:
            if stopped() or isinstance(error, click.Abort):  # a library may have made another error of it
                _stop()
            _fail(error, debug)
    sys.exit(code)


def _stop() -> None:
    _say("nearby: stopped; what was finished is kept, the same command continues from there")
    sys.exit(1)


def _fail(error: BaseException, debug: bool) -> None:
    """Say an error in one sentence; one that is a fault of nearby, or with ``--debug`` any, by where it was raised."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        sys.exit(2)
    said = None if debug else _sentence(error)
    if said is None:
        click.echo(escaped(traceback.format_exc()), nl=False, err=True)
        sys.exit(1)
    _say(f"nearby: {said}")
    sys.exit(2)


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, click.UsageError):
        said = error.format_message().rstrip(".")
        verb = error.ctx.command_path if error.ctx else "nearby"
        return f"{said[:1].lower()}{said[1:]} (see {verb} --help)"
    if isinstance(error, NearbyError):
        return str(error) if error.__cause__ is None else memory_sentence(error.__cause__) or str(error)
    if isinstance(error, OSError) and memory_sentence(error) is None:
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    return memory_sentence(error)


if __name__ == "__main__":
    main()
