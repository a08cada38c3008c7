"""Verbs of `nearby recommend`: ratings, factorised."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from retrieval.commands.parameters import AsJson, Fresh, SkipBad, Verbose, argument, option, whole
from retrieval.commands.printing import emit, report_bad, say
from retrieval.report.terminal.printable import shell_line
from retrieval.report.terminal.view import Output

RecommenderFolder = Annotated[Path, argument("FOLDER", "Folder of a recommender.")]
User = Annotated[str, argument("USER", "Id of a user.")]
RatedItem = Annotated[str, argument("ITEM", "Id of an item.")]
Count = Annotated[int, whole("-k", help="Number of items.", lowest=1)]


def fit(
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
    report_bad(bad)
    recommender.save(out)
    emit(Output(lambda: fitted_lines(recommender, verbose), lambda: fitted_json(recommender)), as_json)
    say(f"recommender: {out}")
    say(f"next: {shell_line(['nearby', 'recommend', 'for', str(out), recommender.users[0]])}")


def predict(folder: RecommenderFolder, user: User, item: RatedItem, as_json: AsJson = False) -> None:
    """Predict how a user would rate an item."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import prediction_json, prediction_lines

    emit(Output(prediction_lines, prediction_json, Recommender.load(folder), user, item), as_json)


def similar(folder: RecommenderFolder, item: RatedItem, k: Count = 10, as_json: AsJson = False) -> None:
    """Find the items whose factors have the largest cosine with those of an item."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    emit(Output(suggestions_lines, suggestions_json, Recommender.load(folder).similar(item, k), "cosine"), as_json)


def suggest(folder: RecommenderFolder, user: User, k: Count = 10, as_json: AsJson = False) -> None:
    """Recommend items that a user has not rated."""
    from retrieval.applications.recommendation import Recommender
    from retrieval.report.terminal.recommendations import suggestions_json, suggestions_lines

    suggestions = Recommender.load(folder).recommended(user, k)
    emit(Output(suggestions_lines, suggestions_json, suggestions, "predicted"), as_json)
