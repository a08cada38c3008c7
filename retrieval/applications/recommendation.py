"""Recommendation by matrix factorisation: predicted ratings, recommended items, similar items."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.artifact import check_format, check_seal, digest_of, read_json, sealed
from encoders.atomic_write import atomic_folder, write_json
from encoders.base import Encoder
from encoders.errors import ArtifactError, CorpusError, OptionError, QueryError, UnknownNameError, one_line
from encoders.json_text import parse_json
from encoders.plain_file import read_plain
from encoders.projection.factor_choice import NEGLIGIBLE, contributions
from encoders.projection.factors import predict
from encoders.projection.matrix_factorization import MatrixFactorization
from encoders.registry import create
from retrieval.corpora.base import Corpus
from retrieval.corpora.ratings import RatingSource

KIND, FORMAT = "a recommender", 1
MANIFEST, ENCODER, RATINGS, NAMES = "manifest.json", "encoder", "ratings.safetensors", "names.json"


class Suggestion(NamedTuple):
    """An item, with a predicted rating or a cosine similarity."""

    item: str
    title: str | None
    value: float


@dataclass
class Recommender:
    """A fitted factorisation of a ratings matrix (users, items), with the ids of users and items."""

    encoder: MatrixFactorization
    users: list[str]
    items: list[str]
    titles: list[str | None]
    matrix: csr_array

    @classmethod
    def fit(cls, corpus: Corpus, spec: str = "mf") -> Recommender:
        """Factorise the ratings of a corpus.

        Raises
        ------
        CorpusError
            When the corpus is not a table of ratings.
        OptionError
            When the spec is not one of ``mf``.
        """
        if not isinstance(corpus, RatingSource):
            raise CorpusError(
                f"'{corpus.name}' is not a table of ratings: give ml-100k, or a .csv with the columns user, item and "
                "rating (other names: ?user=...&item=...&rating=...)"
            )
        encoder = create(spec)
        if not isinstance(encoder, MatrixFactorization):
            raise OptionError(f"recommendations come from a matrix factorisation such as 'mf:15', got '{spec}'")
        users, items, matrix = corpus.ratings()
        described = corpus.described()
        encoder.fit(matrix)
        return cls(encoder, users, items, [described.get(item, (None, None))[0] for item in items], matrix)

    def predict(self, user: str, item: str) -> float:
        """Return the predicted rating of an item by a user, clipped to the range of the ratings in the data."""
        row, column = _position(user, self.users, "user"), _position(item, self.items, "item")
        return float(predict(self.encoder.factors, np.array([row]), np.array([column]), self.encoder.bounds)[0])

    def rated(self, user: str, item: str) -> float | None:
        """Return the rating that a user gave an item, or None."""
        row, column = _position(user, self.users, "user"), _position(item, self.items, "item")
        start, stop = self.matrix.indptr[row : row + 2]
        at = np.flatnonzero(self.matrix.indices[start:stop] == column)
        return float(self.matrix.data[start + at[0]]) if len(at) else None

    def recommended(self, user: str, k: int) -> list[Suggestion]:
        """Return the `k` items that a user has not rated with the highest predicted ratings, best first."""
        row = _position(user, self.users, "user")
        start, stop = self.matrix.indptr[row : row + 2]
        columns = np.setdiff1d(np.arange(len(self.items)), self.matrix.indices[start:stop])
        # ranked before they are clipped, or the best of them would all be equal
        values = predict(self.encoder.factors, np.full(len(columns), row), columns)
        return [
            one._replace(value=float(np.clip(one.value, *self.encoder.bounds)))
            for one in self._best(columns, values, k)
        ]

    def similar(self, item: str, k: int) -> list[Suggestion]:
        """Return the `k` items whose factors have the highest cosine with those of an item, best first.

        Items whose factors are 0 have no direction and are left out.

        Raises
        ------
        QueryError
            When the factors of the item itself are 0: no cosine with it is defined.
        """
        position = _position(item, self.items, "item")
        columns = self.encoder.factors.columns
        directed = self._directed()
        if not directed[position]:
            raise QueryError(
                f"the factors of '{item}' are 0, as mean and biases alone predict its ratings, so no cosine with it is "
                "defined: ask with another item, or fit with more ratings"
            )
        others = np.flatnonzero(directed & (np.arange(len(self.items)) != position))
        units = columns[directed] / np.linalg.norm(columns[directed], axis=1, keepdims=True)
        cosines = np.full(len(self.items), np.nan)
        cosines[directed] = np.clip(units @ (columns[position] / np.linalg.norm(columns[position])), -1, 1)
        return self._best(others, cosines[others], k)

    def _directed(self) -> NDArray[np.bool_]:
        """Return whether the factors of each item contribute to any rating (items,)."""
        values = self.matrix.data.astype(np.float64)
        spread = float(values.std()) or float(np.abs(values).max(initial=0.0))
        return contributions(self.encoder.factors, spread)[1] >= NEGLIGIBLE

    @property
    def factors_are_zero(self) -> bool:
        """Whether the predictions come from mean and biases alone, so that no item has a direction."""
        return not self._directed().any()

    def completed(self) -> NDArray[np.float64]:
        """Return the prediction of every cell (users, items), not clipped; for small tables."""
        rows, columns = np.indices((len(self.users), len(self.items)))
        return predict(self.encoder.factors, rows.ravel(), columns.ravel()).reshape(rows.shape)

    def error(self) -> float:
        """Return the squared error, summed over the ratings that the model was fitted on."""
        rows = np.repeat(np.arange(len(self.users)), np.diff(self.matrix.indptr))
        return float(np.square(predict(self.encoder.factors, rows, self.matrix.indices) - self.matrix.data).sum())

    def _best(self, columns: NDArray[Any], values: NDArray[Any], k: int) -> list[Suggestion]:
        order = np.argsort(-values, kind="stable")[:k]
        return [Suggestion(self.items[columns[at]], self.titles[columns[at]], float(values[at])) for at in order]

    @staticmethod
    def require_new(folder: Path, fresh: bool = False) -> None:
        """Raise when the folder holds a recommender, unless `fresh` allows replacing it.

        Raises
        ------
        OptionError
        """
        if not fresh and (folder / RATINGS).exists():
            raise OptionError(f"{folder} holds a recommender: replace it with --fresh, or choose a new folder")

    def save(self, folder: Path) -> Path:
        """Write the recommender as a folder of JSON and safetensors, all or nothing.

        Raises
        ------
        ArtifactError
            When the folder holds something else, or cannot be written.
        """
        from safetensors.numpy import save_file

        if folder.exists() and not (folder / RATINGS).is_file():
            raise ArtifactError(f"{folder} exists and is not a recommender: choose another folder")
        with atomic_folder(folder) as temporary:
            self.encoder.save(temporary / ENCODER)
            matrix = self.matrix
            save_file({"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}, temporary / RATINGS)
            names = {"users": self.users, "items": self.items, "titles": self.titles}
            (temporary / NAMES).write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
            digests = {name: digest_of(temporary / name) for name in (RATINGS, NAMES)}
            write_json(temporary / MANIFEST, sealed({"nearby": KIND, "format": FORMAT, "digests": digests}))
        return folder

    @classmethod
    def load(cls, folder: Path) -> Recommender:
        """Read what `save` wrote.

        Raises
        ------
        ArtifactError
            When the folder is missing, foreign or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        manifest = read_json(folder / MANIFEST, KIND)
        check_format(manifest, KIND, folder / MANIFEST, FORMAT)
        encoder = Encoder.load(folder / ENCODER)
        try:
            for name in (RATINGS, NAMES):
                if digest_of(folder / name) != manifest["digests"][name]:
                    raise ArtifactError(f"{folder / name} is damaged: its checksum is not the one in {MANIFEST}")
            parts = load_file(folder / RATINGS)
            names = parse_json(read_plain(folder / NAMES))
            shape = (len(names["users"]), len(names["items"]))
            matrix = csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
            matrix.check_format(full_check=True)
            for key, kind in (("users", str), ("items", str), ("titles", str | None)):
                if not isinstance(names[key], list) or not all(isinstance(name, kind) for name in names[key]):
                    raise ValueError(f"its {key} are not a list of texts")
            if len(names["titles"]) != len(names["items"]):
                raise ValueError("it has more or fewer titles than items")
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError, SafetensorError) as error:
            raise ArtifactError(f"{folder} is corrupt: {one_line(error)}") from error
        check_seal(manifest, folder / MANIFEST)
        if not isinstance(encoder, MatrixFactorization):
            raise ArtifactError(f"{folder / ENCODER} is not a matrix factorisation")
        factors = encoder.factors
        expected = (len(names["users"]), len(names["items"])) * 2
        if expected != tuple(map(len, (factors.rows, factors.columns, factors.row_bias, factors.column_bias))):
            raise ArtifactError(f"{folder} is corrupt: its factors are not those of its users and items")
        return cls(encoder, names["users"], names["items"], names["titles"], matrix)


def _position(name: str, names: Sequence[str], what: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        pass
    if len(names) <= 1000:
        raise UnknownNameError(what, name, names)
    raise UnknownNameError(what, name, [*names[:3], "..."])
