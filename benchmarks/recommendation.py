"""MovieLens 100k: root mean squared error over five folds, beside Surprise on the same folds; and the worked example.

Of `NESTED` the number of factors is chosen in every fold, on ratings held out of its training part: no test
rating had a say. The fixed settings of `OURS` were found on a split of the same ratings beforehand. Run:
``NEARBY_DATA=... python benchmarks/recommendation.py``
"""

from __future__ import annotations

from typing import Any

import numpy as np
from record import record, say, timed
from scipy.sparse import csr_array
from sklearn.model_selection import KFold

from encoders.projection.factors import predict
from encoders.registry import create
from retrieval.applications.recommendation import Recommender
from retrieval.corpora.registry import open_corpus

OURS = {"mf:15": (0, 1, 2), "mf:15,solver=als": (0, 1, 2), "mf:50,solver=sgd": (0, 1, 2)}
EXAMPLE = {
    "als": "mf:2,solver=als,biases=false,exponent=0,epochs=200,regularization={},seed={}",
    "sgd": "mf:2,solver=sgd,biases=false,exponent=0,epochs=3000,rate=0.1,regularization={},seed={}",
}
#: Numbers of factors among which every fold chooses for itself.
NESTED = (10, 15, 20, 30)
STRENGTHS, SEEDS = (0.002, 0.02, 0.2), range(20)
MISSING = {"A3": (0, 2), "B3": (1, 2), "C3": (2, 2), "D2": (3, 1), "E1": (4, 0)}


def main() -> None:
    record("recommendation", {"movielens": movielens(), "example": example()})


def movielens() -> dict[str, Any]:
    ratings = open_corpus("ml-100k").ratings().matrix  # type: ignore[attr-defined]
    rows = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))
    cells = (rows, ratings.indices.astype(np.int64), ratings.data.astype(np.float64))
    folds = list(KFold(5, shuffle=True, random_state=0).split(rows))
    found: dict[str, Any] = {}
    for spec, seeds in OURS.items():
        runs = [ours(f"{spec},seed={seed}", cells, ratings.shape, folds) for seed in seeds]
        errors = [float(np.mean(errors)) for errors, _ in runs]
        found[spec] = {
            "rmse": float(np.mean(errors)),
            "spread": float(np.std(errors)),
            "seconds_a_fold": float(np.mean([seconds for _, times in runs for seconds in times])),
        }
        say(spec, found[spec])
    runs = [nested(cells, ratings.shape, folds, seed) for seed in (0, 1, 2)]
    found["mf, d chosen in every fold"] = {
        "rmse": float(np.mean([np.mean(errors) for errors, _, _ in runs])),
        "spread": float(np.std([np.mean(errors) for errors, _, _ in runs])),
        "seconds_a_fold": float(np.mean([times for _, times, _ in runs])),
        "chosen": [chosen for _, _, chosen in runs],
    }
    say("nested", found["mf, d chosen in every fold"])
    found |= peers(cells, folds)
    return found


def nested(cells: Any, shape: Any, folds: Any, seed: int) -> tuple[list[float], list[float], list[int]]:
    """Return error, seconds (the choice included) and chosen number of factors of every fold."""
    errors, times, chosen = [], [], []
    for train, test in folds:
        order = np.random.default_rng(seed).permutation(train)
        held = len(order) // 10
        with timed() as choosing:
            scores = {
                d: ours(f"mf:{d},seed={seed}", cells, shape, [(order[held:], order[:held])])[0][0] for d in NESTED
            }
        best = min(NESTED, key=lambda d: scores[d])
        (error,), (seconds,) = ours(f"mf:{best},seed={seed}", cells, shape, [(train, test)])
        errors.append(error)
        times.append(seconds + choosing.value)
        chosen.append(best)
    return errors, times, chosen


def ours(spec: str, cells: Any, shape: Any, folds: Any) -> tuple[list[float], list[float]]:
    """Return the error and the seconds of training of every fold."""
    rows, columns, values = cells
    errors, times = [], []
    for train, test in folds:
        encoder: Any = create(spec)
        known = np.unique(rows[train])  # a user without a training rating is the mean user
        position = np.full(shape[0], -1)
        position[known] = np.arange(len(known))
        matrix = csr_array((values[train], (position[rows[train]], columns[train])), shape=(len(known), shape[1]))
        with timed() as taken:
            encoder.fit(matrix)
        guess = predict(encoder.factors, position[rows[test]], columns[test], encoder.bounds)
        guess = np.where(
            position[rows[test]] < 0, encoder.factors.mean + encoder.factors.column_bias[columns[test]], guess
        )
        errors.append(float(np.sqrt(np.mean((guess - values[test]) ** 2))))
        times.append(taken.value)
    return errors, times


def peers(cells: Any, folds: Any) -> dict[str, Any]:
    import pandas
    import surprise

    rows, columns, values = cells
    frame = pandas.DataFrame({"user": rows, "item": columns, "rating": values})
    reader = surprise.Reader(rating_scale=(1, 5))
    found = {}
    for name in ("BaselineOnly", "SVD", "SVDpp"):
        errors, times = [], []
        for train, test in folds:
            data = surprise.Dataset.load_from_df(frame.iloc[train], reader).build_full_trainset()
            options = {"verbose": False} if name == "BaselineOnly" else {"random_state": 0}
            model = getattr(surprise, name)(**options)
            with timed() as taken:
                model.fit(data)
            guesses = [model.predict(*pair).est for pair in zip(rows[test], columns[test], strict=True)]
            errors.append(float(np.sqrt(np.mean((np.array(guesses) - values[test]) ** 2))))
            times.append(taken.value)
        found[f"Surprise {name}"] = {
            "rmse": float(np.mean(errors)),
            "spread": 0.0,
            "seconds_a_fold": float(np.mean(times)),
        }
        say(name, found[f"Surprise {name}"])
    return found


def example() -> dict[str, Any]:
    """Return, by solver and strength, the error on the 15 ratings and the five completions over the seeds."""
    corpus = open_corpus("ratings-example")
    found: dict[str, Any] = {}
    for solver, spec in EXAMPLE.items():
        for strength in STRENGTHS:
            runs = [Recommender.fit(corpus, spec.format(strength, seed)) for seed in SEEDS]
            tables = np.stack([run.completed() for run in runs])
            errors = np.array([run.error() for run in runs])
            found[f"{solver}, λ = {strength:g}"] = {
                "error": [float(errors.mean()), float(errors.min()), float(errors.max())],
                **{
                    name: [float(value) for value in (cell.mean(), cell.std(), cell.min(), cell.max())]
                    for name, cell in ((name, tables[:, row, column]) for name, (row, column) in MISSING.items())
                },
            }
            say(solver, strength, found[f"{solver}, λ = {strength:g}"])
    return found


if __name__ == "__main__":
    main()
