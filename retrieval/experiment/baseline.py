"""An earlier comparison: whether another is comparable with it, and how the spaces differ since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, CollectionError, OptionError, one_line
from encoders.numbers import counted, shortened
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.experiment.baseline_change import Change, change_of
from retrieval.experiment.digests import queries_digest
from retrieval.experiment.per_query import query_ids
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison

Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Baseline:
    """An earlier comparison.

    Attributes
    ----------
    path : Path
    corpus, corpus_digest, queries_digest, judged_by : str
    queries : list of str
        Ids, in the order of the values.
    spaces : dict of (str, str) to dict of str to ndarray float64 (n_queries,)
        Spec and index -> measure -> its value for every query.
    influences : dict of (str, str) to dict of str to ndarray float64 (n_queries,)
        Spec and index -> measure -> what every query contributes to the values of the others; see decision 49.
    means_of_seeds : dict of (str, str) to dict of str to ndarray float64 (n_seeds,)
        Spec and index -> measure -> its mean for every seed, where there were several.
    """

    path: Path
    corpus: str
    corpus_digest: str
    queries_digest: str
    judged_by: str
    queries: list[str]
    spaces: Mapping[tuple[str, str], Values]
    influences: Mapping[tuple[str, str], Values]
    means_of_seeds: Mapping[tuple[str, str], Values]

    @property
    def measures(self) -> list[str]:
        """The measures that any space has."""
        return list(dict.fromkeys(measure for values in self.spaces.values() for measure in values))

    def require_comparable(self, specs: Sequence[str], corpus: str, query_set: QuerySet) -> None:
        """Refuse another corpus, other queries and other spaces, before any work.

        Raises
        ------
        OptionError, CollectionError, ArtifactError
        """
        self.require_same(corpus, query_set)  # first: of another corpus, other spaces are the lesser fault
        self.require_specs(specs)

    def require_seeds(self, seeds: Mapping[str, int]) -> None:
        """Refuse another number of seeds, before any work: luck would look like a change.

        Parameters
        ----------
        seeds : dict of str to int
            Spec -> the number of seeds with which it will be fitted.

        Raises
        ------
        OptionError
        """
        for (spec, _), means in self.means_of_seeds.items():
            before = max((len(values) for values in means.values()), default=1)
            if spec in seeds and before != seeds[spec]:
                raise OptionError(self._other_seeds(spec, before, seeds[spec]))

    def _other_seeds(self, label: str, before: int, now: int) -> str:
        return (
            f"the baseline {self.path} has {counted(max(1, before), 'seed')} of {label}, and this comparison "
            f"{max(1, now)}: compare with --seeds {max(1, before)}"
        )

    def require_specs(self, specs: Sequence[str]) -> None:
        """Refuse a comparison of other spaces only.

        Raises
        ------
        OptionError
        """
        known = sorted({spec for spec, _ in self.spaces})
        if not set(specs) & set(known):
            raise OptionError(
                f"the baseline {self.path} holds none of the spaces {', '.join(specs)}, but "
                f"{one_line(', '.join(known))}: compare one of them, or write a new baseline with -o"
            )

    def require_same(self, corpus: str, query_set: QuerySet) -> None:
        """Refuse a corpus or queries that are not those of the baseline.

        Raises
        ------
        CollectionError
        ArtifactError
            When the file lacks values of one of the queries that it says it asked.
        """
        new = "write a new baseline with -o"
        if query_set.digest != self.corpus_digest:
            what = shortened(self.corpus) if self.corpus != corpus else "an earlier state of it"
            raise CollectionError(
                f"the baseline {self.path} was measured on {what}, and the items of '{corpus}' differ: {new}"
            )
        if query_set.judged_by != self.judged_by:
            raise CollectionError(
                f"the baseline {self.path} is judged by {one_line(self.judged_by)}, this comparison by "
                f"{query_set.judged_by}: compare with --judged-by {one_line(self.judged_by)}, or {new}"
            )
        if queries_digest(query_set.queries, query_set.qrels) != self.queries_digest:
            raise CollectionError(
                f"the baseline {self.path} asked other queries, or has other judgements "
                f"({len(self.queries):,} queries; now {len(query_set.queries):,}): {new}"
            )
        if lacking := {query.id for query in query_set.queries} - set(self.queries):
            raise ArtifactError(
                f"{self.path} is a damaged comparison (it lacks the query {shortened(min(lacking))}): {new}"
            )

    def changes(self, comparison: Comparison, measures: Sequence[str] | None = None) -> list[Change]:
        """Return how every space that both have differs, tested together for each measure.

        The test is that of `compare` (decisions 38 and 49), with one pair for each space: now and before.

        Parameters
        ----------
        comparison : Comparison
            On the same corpus and queries; see `require_same`.
        measures : sequence of str, optional
            By default all that both have.
        """
        order = self._order(comparison)
        return [
            change for measure in measures or self.measures for change in self._changes_of(measure, comparison, order)
        ]

    def missing(self, comparison: Comparison) -> tuple[list[str], list[str]]:
        """Return the spaces that only the comparison has, and those that only the baseline has."""
        now = {(space.spec, space.index): space.label for space in comparison.spaces}
        return (
            [label for key, label in now.items() if key not in self.spaces],
            [f"{spec} @ {index}" for spec, index in self.spaces if (spec, index) not in now],
        )

    def _order(self, comparison: Comparison) -> NDArray[np.int64]:
        """Return where each query of the comparison is in the baseline."""
        position = {query: at for at, query in enumerate(self.queries)}
        try:
            return np.array([position[query] for query in query_ids(comparison)], np.int64)
        except KeyError as error:
            raise ArtifactError(
                f"the baseline {self.path} lacks the query {error}: write a new baseline with -o"
            ) from error

    def _changes_of(self, measure: str, comparison: Comparison, order: NDArray[np.int64]) -> list[Change]:
        pairs: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        for space in comparison.spaces:
            before = self.spaces.get((space.spec, space.index), {}).get(measure)
            now = space.per_query.get(measure)
            if before is not None and now is not None:
                pairs[space.label] = np.asarray(now, np.float64), before[order]
        if not pairs:
            return []
        values = {f"{what}{label}": both[at] for label, both in pairs.items() for at, what in enumerate(("+", "-"))}
        influence = self._influence_of(measure, comparison, order)
        differences = multiple_comparison(
            values,
            influence,
            self._seeds_of(measure, comparison),
            pairs=[(f"+{label}", f"-{label}") for label in pairs],
            repeats=None if comparison.query_set is None else comparison.query_set.repeats,
        )
        return [change_of(label, measure, pairs[label], differences.of(f"+{label}", f"-{label}")) for label in pairs]

    def _influence_of(self, measure: str, comparison: Comparison, order: NDArray[np.int64]) -> Values:
        none = np.zeros(len(order))
        influence = {}
        for space in comparison.spaces:
            before = self.influences.get((space.spec, space.index), {}).get(measure)
            influence[f"+{space.label}"] = space.influence.get(measure, none)
            influence[f"-{space.label}"] = none if before is None else before[order]
        return influence

    def _seeds_of(self, measure: str, comparison: Comparison) -> dict[str, Any]:
        """Return the means of the seeds; with another number of seeds now, luck would look like a change.

        Raises
        ------
        OptionError
        """
        seed_means: dict[str, Any] = {}
        for space in comparison.spaces:
            key = space.spec, space.index
            before, now = self.means_of_seeds.get(key, {}).get(measure, ()), space.means_of_seeds.get(measure, [])
            if key in self.spaces and len(before) != len(now):
                raise OptionError(self._other_seeds(space.label, len(before), len(now)))
            seed_means |= {f"+{space.label}": now, f"-{space.label}": before}
        return {label: means for label, means in seed_means.items() if len(means)}
