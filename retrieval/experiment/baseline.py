"""An earlier comparison, read from its ``comparison.json``: has a space lost quality since? A gate for CI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError, CollectionError, OptionError, one_line
from encoders.numbers import counted, shortened
from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.significance import Interval
from retrieval.experiment.digests import queries_digest
from retrieval.experiment.per_query import query_ids
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison

#: The version of ``comparison.json`` that is written and read.
SCHEMA_VERSION = 1
#: No comparison is larger than this: 100 spaces, 100,000 queries, 4 measures.
MAX_BYTES = 2**30
#: No value of a measure, and no influence of a query, is larger.
_LARGEST = 1e6
_NO_COMPARISON = "{} is not a nearby comparison: name the comparison.json that nearby compare -o wrote"
Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Change:
    """How one measure of one space differs from an earlier comparison.

    Attributes
    ----------
    space, measure : str
    before, now : float
        Means over the queries.
    interval : Interval
        95 % interval of ``now - before``, for all spaces at the same time.
    p_value : float
        Corrected for the number of spaces.
    verdict : Verdict
        Of now against before.
    detectable : float
        The smallest true difference that as many queries would find with a probability of 80 %.
    """

    space: str
    measure: str
    before: float
    now: float
    interval: Interval
    p_value: float
    verdict: Verdict
    detectable: float

    @property
    def difference(self) -> float:
        """The mean now minus the mean before."""
        return self.now - self.before

    @property
    def is_loss(self) -> bool:
        """Whether the space is significantly worse than before."""
        return self.verdict is Verdict.WORSE


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

    def require_measures(self, measures: Iterable[str]) -> None:
        """Refuse measures that the baseline does not have.

        Raises
        ------
        OptionError
        """
        for measure in measures:
            if measure not in self.measures:
                raise OptionError(
                    f"the baseline {self.path} has no measure '{measure}': choose {' or '.join(self.measures)}"
                )

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

    def require_all_specs(self, specs: Sequence[str]) -> None:
        """Refuse a gate that leaves a space of the baseline out, before any work.

        Raises
        ------
        OptionError
        """
        gone = [spec for spec in dict.fromkeys(spec for spec, _ in self.spaces) if spec not in specs]
        if gone:
            raise OptionError(self._untested(gone, " ".join(f"-s '{spec}'" for spec in gone)))

    def require_tested(
        self, changes: Sequence[Change], measures: Sequence[str], comparison: Comparison, allow_missing: bool = False
    ) -> None:
        """Refuse a gate through which a loss could pass unseen.

        Parameters
        ----------
        changes : sequence of Change
        measures : sequence of str
            Those of the gate.
        comparison : Comparison
        allow_missing : bool
            Whether the comparison may leave spaces and indexes of the baseline out, as long as one is tested.

        Raises
        ------
        OptionError
            When no space of both comparisons has the measure, or a space of the baseline that has it is not tested.
        """
        label_of = {(space.spec, space.index): space.label for space in comparison.spaces}
        for measure in measures:
            tested = {change.space for change in changes if change.measure == measure}
            if not tested:
                raise OptionError(
                    f"--fail-on-loss {measure}: no space of this comparison has the measure in the baseline "
                    f"{self.path} too, so that a loss would not be seen"
                )
            gone = [
                f"{spec} @ {index}"
                for (spec, index), values in self.spaces.items()
                if measure in values and label_of.get((spec, index)) not in tested
            ]
            if gone and not allow_missing:
                raise OptionError(self._untested(gone, f"them, with {measure},"))

    def _untested(self, gone: Sequence[str], add: str) -> str:
        several = len(gone) > 1
        return (
            f"the baseline {self.path} has {', '.join(gone)}, and this comparison does not: a loss of "
            f"{'theirs' if several else 'it'} would not be seen; compare {add} too, or add --allow-missing"
        )

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
        return [self._change(label, measure, pairs[label], differences.of(f"+{label}", f"-{label}")) for label in pairs]

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

    @staticmethod
    def _change(label: str, measure: str, both: tuple[Any, Any], pair: Any) -> Change:
        low, high = pair.interval
        swapped = pair.first.startswith("-")
        verdict = pair.verdict
        if swapped and pair.is_significant:
            verdict = Verdict.WORSE if verdict is Verdict.BETTER else Verdict.BETTER
        interval = Interval(-high, -low) if swapped else Interval(low, high)
        now, before = (float(values.mean()) for values in both)
        return Change(label, measure, before, now, interval, pair.p_value, verdict, pair.detectable)


def read_baseline(path: str | Path) -> Baseline:
    """Read the ``comparison.json`` of an earlier comparison.

    Raises
    ------
    ArtifactError
        When there is no such file, it is cut or no comparison, or another version of nearby wrote it.
    """
    path = Path(path)
    read = _read(path)
    version = read.get("schema_version")
    if version is None:
        raise ArtifactError(_NO_COMPARISON.format(path))
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ArtifactError(
            f"{path} has schema version {version!r}, and this nearby reads {SCHEMA_VERSION}: "
            "write a new baseline with -o"
        )
    try:
        queries = _texts(read["queries"])
        named = [_texts([space["spec"], space["index"]]) for space in read["spaces"]]
        keys = [(spec, index) for spec, index in named]
        if not keys or not all(space.get("per_query") for space in read["spaces"]):
            raise ValueError("it has no space, or a space without measures")
        if len(set(queries)) < len(queries) or len(set(keys)) < len(keys):
            raise ValueError("it has a query or a space twice")
        spaces, influences, seeds = (
            {
                key: {str(measure): _values(values, count) for measure, values in space.get(name, {}).items()}
                for key, space in zip(keys, read["spaces"], strict=True)
            }
            for name, count in (("per_query", len(queries)), ("influence", len(queries)), ("means_of_seeds", None))
        )
        corpus, *digests, judged_by = _texts(
            [read[name] for name in ("corpus", "corpus_digest", "queries_digest", "judged_by")]
        )
        return Baseline(path, corpus, digests[0], digests[1], judged_by, queries, spaces, influences, seeds)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"it has no field {error}" if isinstance(error, KeyError) else str(error)
        raise ArtifactError(f"{path} is a damaged comparison ({what}): write a new baseline with -o") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MAX_BYTES:
            raise ArtifactError(_NO_COMPARISON.format(path))
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"no baseline {path}: write one with  nearby compare ... -o DIR") from None
    except OSError as error:
        raise ArtifactError(f"cannot read the baseline {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # cut in the middle, or no JSON at all
        raise ArtifactError(f"{path} is cut or is not JSON: write a new baseline with -o") from error
    if not isinstance(read, dict):
        raise ArtifactError(_NO_COMPARISON.format(path))
    return read


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a name or id is not a string")
    return values


def _values(values: Any, count: int | None) -> NDArray[np.float64]:
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise ValueError("a measure has no value for some query")
    if not all(type(value) in (int, float) and abs(value) <= _LARGEST for value in values):  # nor NaN, nor true
        raise ValueError("a value of a measure is not a number")
    return np.array(values, np.float64)
