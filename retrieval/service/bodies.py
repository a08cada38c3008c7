"""What clients send: the bodies of requests, each field with its bounds. JSON that does not fit is refused by name."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from retrieval.experiment.label_ladder.rung import Rung
from retrieval.service.limits import (
    MAX_CANDIDATES,
    MAX_DEPTH,
    MAX_INPUTS,
    MAX_K,
    MAX_NUMBERS,
    MAX_PAGE,
    MAX_QUERIES,
    MAX_TEXT,
)

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Spec = Annotated[str, Meta(min_length=1, max_length=2_000, description="A space by its spec, or a beginning of it.")]
Vector = Annotated[list[float], Meta(min_length=1, max_length=MAX_NUMBERS, description="A code of a space.")]
Offset = Annotated[int, Meta(ge=0, le=2**53, description="Number of entries before the first one of the page.")]
Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE, description="Maximum number of entries of the page.")]
AnswerCount = Annotated[int, Meta(ge=1, le=MAX_K, description="Number of answers in each space.")]
Cell = str | float | bool | None
JudgedBy = Annotated[
    str,
    Meta(
        max_length=40,
        description="What says which answers are relevant: a rung of the label ladder.",
        extra_json_schema={"enum": ["auto", *Rung]},
    ),
]
#: A file in the letters of base64 (RFC 4648, section 4).
File = Annotated[
    bytes, Meta(extra_json_schema={"pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"})
]


class Body(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A JSON object; a name that it does not have is refused."""


class QueryBody(Body):
    """One query: exactly one of its fields. Pictures and sounds are files in base64."""

    text: Annotated[Text, Meta(description="Words.")] | UnsetType = UNSET
    id: Annotated[Text, Meta(description="Id of an item of the collection.")] | UnsetType = UNSET
    row: (
        Annotated[dict[str, Cell], Meta(description="Values of a row by column; the others are left out.")] | UnsetType
    ) = UNSET
    vector: (
        Annotated[Vector, Meta(description="A vector as the items are, or an embedding for a space given.")] | UnsetType
    ) = UNSET
    image: Annotated[File, Meta(description="A picture file, in base64.")] | UnsetType = UNSET
    sound: Annotated[File, Meta(description="A WAV or FLAC file, in base64.")] | UnsetType = UNSET


#: What a body asks for; the schema says that exactly one field is given.
OneQuery = Annotated[
    QueryBody, Meta(description="One query.", extra_json_schema={"minProperties": 1, "maxProperties": 1})
]


class SearchBody(Body):
    """A search: one query, or several, in some spaces of the collection; fused or re-ranked on request."""

    query: OneQuery | UnsetType = UNSET
    queries: Annotated[list[OneQuery], Meta(min_length=1, max_length=MAX_QUERIES)] | UnsetType = UNSET
    spaces: Annotated[list[Spec], Meta(max_length=64, description="By default all spaces.")] = []
    k: AnswerCount = 10
    filters: Annotated[list[Text], Meta(max_length=64, description="KEY=VALUE, as in label=sport or year>=2004.")] = []
    fuse: (
        Annotated[
            str,
            Meta(description="One list of all spaces.", max_length=20, extra_json_schema={"enum": ["rrf", "saved"]}),
        ]
        | None
    ) = None
    depth: Annotated[int, Meta(ge=1, le=MAX_DEPTH, description="Hits of each space that are fused.")] | None = None
    shortlist: Annotated[Spec, Meta(description="Space that finds candidates for rerank.")] | None = None
    rerank: Annotated[Spec, Meta(description="Space that ranks the candidates.")] | None = None
    candidates: (
        Annotated[int, Meta(ge=1, le=MAX_CANDIDATES, description="Number of items on the shortlist.")] | None
    ) = None
    radius: (
        Annotated[int, Meta(ge=0, le=MAX_CANDIDATES, description="Maximum Hamming distance of a candidate, in bits.")]
        | None
    ) = None


class ExplainBody(Body):
    """An item and the query that it answers."""

    query: OneQuery
    id: Annotated[str, Meta(min_length=1, max_length=10_000, description="Id of the item.")]
    spaces: Annotated[list[Spec], Meta(max_length=64, description="By default all spaces.")] = []


class NeighboursQuery(Body):
    """Items that are near to one item."""

    id: Annotated[str, Meta(min_length=1, max_length=10_000, description="Id of the item.")]
    space: Annotated[list[Spec], Meta(max_length=64, description="By default all spaces; repeat it.")] = []
    k: AnswerCount = 10


class PageQuery(Body):
    """A page of the items, or the items with some ids."""

    id: Annotated[list[Text], Meta(max_length=MAX_PAGE, description="Ids of items; repeat it. By default all.")] = []
    offset: Offset = 0
    limit: Limit = 100


class MapQuery(Body):
    """The map of a space."""

    space: Spec
    limit: Annotated[
        int, Meta(ge=2, le=100_000, description="Maximum number of items; a larger collection is sampled at random.")
    ] = 100_000
    colour: (
        Annotated[str, Meta(pattern="^(cluster|hubness|score)$", description="What the items are coloured by.")] | None
    ) = None
    clusters: (
        Annotated[int, Meta(ge=2, le=28, description="Number of clusters; by default as many as labels, 2 to 28.")]
        | None
    ) = None
    text: Annotated[Text, Meta(description="Words, for the colour score.")] | None = None
    id: Annotated[Text, Meta(description="Id of an item, for the colour score.")] | None = None


class EncodeBody(Body):
    """Queries to encode in one space."""

    space: Spec
    queries: Annotated[list[OneQuery], Meta(min_length=1, max_length=MAX_INPUTS)]


class CompareBody(Body):
    """A comparison of spaces of the collection by its own queries."""

    spaces: Annotated[list[Spec], Meta(max_length=64, description="By default all spaces.")] = []
    judged_by: JudgedBy | None = None


class PerQueryQuery(Body):
    """A page of the measures of every query."""

    space: Annotated[list[Spec], Meta(max_length=64, description="By default all spaces; repeat it.")] = []
    judged_by: JudgedBy | None = None
    measure: Annotated[str, Meta(max_length=40, description="By default the first one of the comparison.")] | None = (
        None
    )
    offset: Offset = 0
    limit: Limit = 100


class SpaceHealthQuery(Body):
    """The health of a space."""

    space: Annotated[list[Spec], Meta(max_length=8, description="By default all spaces; repeat it.")] = []


class ComponentsQuery(Body):
    """The components of a space."""

    space: Spec
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="Maximum number of components.")] = 60


class TrainingQuery(Body):
    """The training of a space."""

    space: Spec


class ReconstructBody(Body):
    """An item that is encoded, and decoded from its code or from a changed one."""

    space: Spec
    id: Annotated[str, Meta(min_length=1, max_length=10_000, description="Id of the item.")]
    first: (
        Annotated[int, Meta(ge=0, le=MAX_NUMBERS, description="Components of a sum that are added; by default all.")]
        | None
    ) = None
    component: (
        Annotated[int, Meta(ge=0, le=MAX_NUMBERS, description="Component that is moved, counted from 0.")] | None
    ) = None
    deviations: Annotated[float, Meta(ge=-10, le=10, description="By how many standard deviations it is moved.")] = 0.0
    sound: Annotated[bool, Meta(description="Whether to make a sound of a spectrogram, which takes longer.")] = False


class InterpolateBody(Body):
    """Codes on the way from one item to another."""

    space: Spec
    start: Annotated[str, Meta(min_length=1, max_length=10_000, description="Id of the first item.")]
    end: Annotated[str, Meta(min_length=1, max_length=10_000, description="Id of the last item.")]
    steps: Annotated[int, Meta(ge=2, le=24, description="Number of codes, both ends included.")] = 8
    sound: Annotated[bool, Meta(description="Whether to make sounds of spectrograms, which takes longer.")] = False


class EmbeddingsBody(msgspec.Struct, kw_only=True):
    """A request as OpenAI's clients send it; names that are not here are ignored, as theirs change."""

    input: (
        Annotated[str, Meta(max_length=MAX_TEXT, description="A text, or a list of texts.")]
        | Annotated[list[Text], Meta(min_length=1, max_length=MAX_INPUTS)]
    )
    model: Annotated[
        str,
        Meta(
            min_length=1, max_length=2_000, description="COLLECTION/SPACE, or SPACE if only one collection is served."
        ),
    ]
    encoding_format: Annotated[str, Meta(pattern="^(float|base64)$", description="float, or base64.")] = "float"
    dimensions: (
        Annotated[int, Meta(ge=1, le=MAX_NUMBERS, description="How many of the first numbers of a code are kept.")]
        | None
    ) = None
