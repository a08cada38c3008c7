"""A comparison in Python and in notebooks: `nearby.compare` returns one with tables and drawings.

The comparison itself (`retrieval.experiment.result`) knows no report, so what is shown of it is added here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.errors import MissingLibraryError, OptionError
from retrieval.collection.base import Collection
from retrieval.corpora.base import Corpus
from retrieval.experiment import compare as experiment
from retrieval.experiment.compare_options import NOTHING_MORE, CompareOptions
from retrieval.experiment.fitted_encoders import FittedEncoders
from retrieval.experiment.per_query import per_query_table
from retrieval.experiment.result import Comparison as Result
from retrieval.output import writing
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.precision_recall import precision_recall_svg, quality_cost_svg
from retrieval.report.figures.query_scatter import query_scatter_svg
from retrieval.report.leaders import main_measure
from retrieval.report.verdict import answer

if TYPE_CHECKING:
    import pandas


class Drawing:
    """A drawing (SVG) that a notebook shows, and that can be saved.

    Attributes
    ----------
    svg : str
    """

    def __init__(self, svg: Markup) -> None:
        self.svg = str(svg)

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a ``.svg`` file; an existing one is replaced.

        Raises
        ------
        ArtifactError
            When it cannot be written.
        """
        with writing(Path(path)) as file:
            file.write(self.svg.encode())
        return Path(path)

    def _repr_html_(self) -> str:
        return f'<div style="max-width:36rem">{self.svg}</div>'


class Comparison(Result):
    """The result of a comparison, with its tables and drawings.

    Examples
    --------
    >>> import nearby
    >>> comparison = nearby.compare(nearby.open_corpus("digits"), ["pixels", "pixels+pca:2"], examples=0)
    >>> comparison.per_query.column_names, comparison.per_query.num_rows
    (['query_id', 'space', 'measure', 'value'], 10782)
    >>> comparison.plot_measures().svg[:5]
    '<svg '
    """

    @classmethod
    def of(cls, result: Result) -> Comparison:
        """Return a comparison with tables and drawings."""
        return cls(**vars(result))

    def to_frame(self) -> pandas.DataFrame:
        """Return the table of spaces as a ``pandas.DataFrame``: measures, sizes, times; its index is the label.

        Raises
        ------
        MissingLibraryError
            When pandas is not installed.
        """
        pandas = _pandas()
        rows = [
            {
                "space": space.label, "spec": space.spec, "searched_by": space.index, **space.measures,
                "dim": space.dim, "kind": str(space.kind), "metric": str(space.metric),
                "code_bytes_per_item": space.bytes_per_item,
                "bytes_on_disk_per_item": space.bytes_on_disk_per_item, "fit_seconds": space.fit_seconds,
                "encode_per_second": space.encode_per_second, "query_ms": space.query_ms,
            }
            for space in self.spaces
        ]  # fmt: skip
        return pandas.DataFrame(rows).set_index("space")

    @property
    def per_query(self) -> Any:
        """The measures of every query: a ``pyarrow.Table`` of ``query_id``, ``space``, ``measure`` and ``value``.

        It is what ``per_query.parquet`` holds; ``to_pandas()`` of it is a data frame.
        """
        return per_query_table(self)

    def plot_measures(self) -> Drawing:
        """Draw the main measure of every space with its 95% interval, beside its bytes per item.

        Raises
        ------
        OptionError
            When nothing was measured.
        """
        return self._drawn(quality_cost_svg(self, "nearby-measures"))

    def plot_precision_recall(self) -> Drawing:
        """Draw the precision of every space at every level of recall.

        Raises
        ------
        OptionError
            When no index ranks enough items.
        """
        return self._drawn(precision_recall_svg(self, "nearby-curves"))

    def plot_queries(self, first: str, second: str, measure: str | None = None) -> Drawing:
        """Draw a measure of every query in one space against another.

        Parameters
        ----------
        first, second : str
            Labels of spaces.
        measure : str, optional
            By default the main measure.

        Raises
        ------
        OptionError
            When there is no such space or measure.
        """
        known = {space.label: space for space in self.spaces}
        for label in (first, second):
            if label not in known:
                raise OptionError(f"no space '{label}' in this comparison: choose {' or '.join(known)}")
        measure = measure or main_measure(self) or ""
        values = [known[label].per_query.get(measure) for label in (first, second)]
        if values[0] is None or values[1] is None:
            raise OptionError(f"no measure '{measure}' for both spaces: choose {' or '.join(known[first].per_query)}")
        return Drawing(query_scatter_svg("nearby-queries", (first, second), (values[0], values[1]), measure))

    def _drawn(self, svg: Markup | None) -> Drawing:
        if svg is None:
            raise OptionError(f"nothing to draw: {answer(self)}")
        return Drawing(svg)

    def __repr__(self) -> str:
        return f"<Comparison on {self.corpus}: {answer(self)}>"

    def _repr_html_(self) -> str:
        from retrieval.report.html.sections import table_data
        from retrieval.report.html.template import render

        return render("notebook.html", answer=answer(self), corpus=self.corpus, table=table_data(self))


def compare(
    corpus: Corpus,
    specs: Sequence[str],
    indexes: Sequence[str | None] = (None,),
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
    fitted_encoders: FittedEncoders | None = None,
    options: CompareOptions = NOTHING_MORE,
) -> Comparison:
    """Compare spaces as `retrieval.experiment.compare.compare` does, whose parameters and errors these are.

    Parameters
    ----------
    corpus, specs, indexes, examples, provenance, fitted_encoders, options
        See there; `read_baseline` reads a baseline for the options, and its ``changes`` says what changed.

    Returns
    -------
    Comparison
        With tables and drawings.

    Examples
    --------
    >>> import nearby
    >>> comparison = nearby.compare(nearby.open_corpus("digits"), ["pixels", "pixels+pca:2"], examples=0)
    >>> [space.label for space in comparison.spaces]
    ['pixels', 'pixels+pca:2']
    """
    return Comparison.of(experiment.compare(corpus, specs, indexes, examples, provenance, fitted_encoders, options))


def compare_collection(
    collection: Collection,
    specs: Sequence[str] | None = None,
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
    options: CompareOptions = NOTHING_MORE,
) -> Comparison:
    """The comparison of saved spaces of a collection, by default of all of them.

    Parameters
    ----------
    collection : Collection
    specs : sequence of str, optional
    examples, provenance, options
        As in `compare`.
    """
    return Comparison.of(experiment.compare_collection(collection, specs, examples, provenance, options))


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MissingLibraryError(
            "the library pandas is not installed, which to_frame needs: pip install 'nearby-spaces[notebook]'"
        ) from error
    return pandas
