"""The weights of a comparison's fusion, stored with its collection, so that search can use them."""

from __future__ import annotations

from encoders.errors import OptionError
from retrieval.collection.base import Collection
from retrieval.experiment.result import Comparison
from retrieval.search.saved_fusion import SavedFusion


def save_weights(collection: Collection, comparison: Comparison) -> str:
    """Store the weights of all spaces of a comparison with its collection; return a sentence that says so.

    Raises
    ------
    ArtifactError
        When the folder cannot be written.
    """
    fusion = comparison.fusion
    if fusion is None:
        raise OptionError("the comparison has no fusion to save: compare with --fusion")
    combination = fusion.whole
    spec_of = {space.label: space.spec for space in comparison.spaces}
    SavedFusion.save(
        collection,
        {spec_of[label]: weight for label, weight in combination.weights.items()},
        depth=fusion.depth,
        measure=fusion.measure,
        judged_by=comparison.judged_by,
        n_queries=fusion.n_queries,
        in_sample=combination.in_sample,
        held_out=combination.convex,
    )
    gains = combination.gain.is_significant and combination.convex > combination.single
    doubt = "" if gains else f", though the queries show no gain over {combination.best} alone"
    saved = f"the weights of {len(combination.weights)} spaces are saved{doubt}; next:"
    return f"{saved} nearby search {collection.folder} QUERY --fuse saved"
