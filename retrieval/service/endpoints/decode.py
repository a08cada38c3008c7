"""Items decoded from codes: a reconstruction of some components, one component moved, and a walk between two items."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Modality
from encoders.errors import MissingLibraryError, NotInvertibleError, QueryError
from encoders.row import Row
from encoders.sound import Sound
from retrieval.analysis.components import Components
from retrieval.applications.code_changes import (
    Change,
    change_of,
    first_components,
    moved,
    order_of,
    standard_deviations,
)
from retrieval.applications.generation import walk
from retrieval.applications.reconstruction import as_read, decoded_codes, hear_of, reconstructed, squared_errors
from retrieval.applications.reconstruction_table import is_picture
from retrieval.collection.base import Collection
from retrieval.search.query import item_query
from retrieval.search.searcher import query_codes
from retrieval.search.stored_codes import all_codes
from retrieval.service.bodies import InterpolateBody, ReconstructBody
from retrieval.service.endpoints.components import remembered_components
from retrieval.service.endpoints.items import media_of
from retrieval.service.operations import Operation, OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.spaces import DecodedContent, InterpolateReply, ReconstructReply

#: Words of a text, and numbers of a vector, that are sent.
_WORDS, _NUMBERS = 30, 200


def reconstruct(collection: Collection, asked: OperationRequest) -> ReconstructReply:
    """Return an item and what its code decodes to, changed as the body asks."""
    body: ReconstructBody = asked.body
    spec = collection.resolve(body.space)
    encoder = collection.space(spec).encoder
    query = item_query(collection, body.id)
    content: Any = query.content
    reply = ReconstructReply(space=spec, id=body.id, change=Change.NONE)
    try:
        components = remembered_components(collection, asked, spec)
        reply.change, reply.total = change_of(encoder, components), encoder.space.dim
        _require_fitting(body, Change(reply.change), spec)
        code = query_codes(collection, spec, query)
        changed = _changed(collection, asked, reply, components, code)
        back = reconstructed(encoder, [content]) if changed is None else decoded_codes(encoder, changed)
    except (NotInvertibleError, QueryError) as error:
        return ReconstructReply(space=spec, id=body.id, change=Change.NONE, note=str(error))
    reply.original = _original(encoder, content)
    reply.reconstruction = _decoded(encoder, back, hear_of(encoder, back, [content]) if body.sound else None)[0]
    errors = squared_errors(encoder, [content], back)
    reply.error = next((values[0] for values in errors.values()), None)
    return reply


def interpolate(collection: Collection, asked: OperationRequest) -> InterpolateReply:
    """Return what the codes on the straight line from one item to another decode to."""
    body: InterpolateBody = asked.body
    spec = collection.resolve(body.space)
    encoder = collection.space(spec).encoder
    start, end = (item_query(collection, id).content for id in (body.start, body.end))
    try:
        shares, contents = walk(encoder, start, end, body.steps)
    except (NotInvertibleError, QueryError) as error:
        return InterpolateReply(space=spec, shares=[], contents=[], note=str(error))
    hear = hear_of(encoder, contents) if body.sound else None
    return InterpolateReply(space=spec, shares=shares, contents=_decoded(encoder, contents, hear))


def _require_fitting(body: ReconstructBody, change: Change, spec: str) -> None:
    if body.first is not None and change is not Change.SUM:
        raise Problem(422, f"the codes of '{spec}' are no sums of components: leave first out")
    if body.component is not None and change is Change.NONE:
        raise Problem(422, f"the codes of '{spec}' have no numbers to move: leave component out")
    if body.component is not None and body.first is not None:
        raise Problem(422, "give either first or component")
    if body.component is None and body.deviations:
        raise Problem(422, "deviations says how far a component is moved: give component too")


def _changed(
    collection: Collection, asked: OperationRequest, reply: ReconstructReply, components: Components | None, code: Codes
) -> Codes | None:
    """Return the changed code, and write into the reply what was changed; None for the code of the item as it is."""
    body: ReconstructBody = asked.body
    if body.component is not None:
        deviation = _deviations(collection, asked, reply.space)
        if body.component >= len(deviation):
            raise Problem(422, f"component {body.component:,} is not one of 0 to {len(deviation) - 1:,}")
        now = float(code[[0], [body.component]][0])
        reply.component, reply.deviation = body.component, float(deviation[body.component])
        reply.value = now + body.deviations * reply.deviation
        return moved(code, body.component, reply.value)
    if body.first is None or components is None:
        return None
    reply.first = min(body.first, reply.total)
    return first_components(code, order_of(components, code), reply.first)


def _deviations(collection: Collection, asked: OperationRequest, spec: str) -> NDArray[np.float64]:
    key = ("deviations", asked.collection, collection.generation, collection.items_digest, spec)
    return asked.remembered.get(key, lambda: standard_deviations(all_codes(collection, spec)[1]))


def _original(encoder: Encoder, content: Any) -> DecodedContent:
    """Return an item as the first stage reads it, beside which its reconstruction is seen."""
    if encoder.reads is Modality.TEXT:
        return DecodedContent(words=_top_words(encoder.parts[0].encode([content]), encoder.vocabulary))
    if encoder.reads is Modality.SOUND:
        return DecodedContent(image=_file(as_read(encoder, [content])[0]), sound=_file(content))
    return _decoded(encoder, [content], None)[0]


def _decoded(encoder: Encoder, contents: Sequence[Any], hear: Callable[[], list[Sound]] | None) -> list[DecodedContent]:
    decoded = [_plain(content, encoder.vocabulary) for content in contents]
    if hear is not None:
        with suppress(MissingLibraryError):  # the spectrogram is shown all the same
            for one, sound in zip(decoded, hear(), strict=True):
                one.sound = _file(sound)
    return decoded


def _plain(content: Any, vocabulary: list[str] | None) -> DecodedContent:
    """Return what was decoded as JSON values: a picture, a row, weights of words, or numbers."""
    if is_picture(content):
        return DecodedContent(image=_file(content))
    if isinstance(content, Row):
        return DecodedContent(row=dict(zip(content.names, content.values, strict=True)))
    if vocabulary is not None:
        return DecodedContent(words=_top_words(content, vocabulary))
    numbers = np.asarray(content.toarray() if issparse(content) else content, np.float64).ravel()
    return DecodedContent(vector=numbers[:_NUMBERS].tolist())


def _top_words(weights: Codes, vocabulary: list[str] | None) -> dict[str, float]:
    """Return the words with the largest positive weights, the largest first."""
    numbers = np.asarray(weights.toarray() if issparse(weights) else weights, np.float64).ravel()
    words = vocabulary or [str(at) for at in range(len(numbers))]
    best = np.argsort(-numbers, kind="stable")[:_WORDS]
    return {words[at]: float(numbers[at]) for at in best.tolist() if numbers[at] > 0}


def _file(content: Any) -> str:
    return base64.b64encode(media_of(content).content).decode("ascii")


OPERATIONS = (
    Operation(
        "reconstruct", "POST", "/reconstruct", "Decode an item from its code, or from a changed one", reconstruct,
        ReconstructReply, body=ReconstructBody,
    ),
    Operation(
        "interpolate", "POST", "/interpolate", "Decode the codes between two items", interpolate, InterpolateReply,
        body=InterpolateBody,
    ),
)  # fmt: skip
