"""What the service answers: the replies of the API, as a struct each. Searches equal what ``--json`` prints."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Cell = str | float | bool | None


class Reply(msgspec.Struct):
    """A JSON object."""


class PartialReply(Reply, omit_defaults=True):
    """A JSON object whose absent parts are left out."""


class CollectionSummary(PartialReply):
    """A collection that is served; `error` says why it cannot be opened now."""

    name: str
    modality: str
    items: int
    spaces: list[str]
    generation: Annotated[int, Meta(description="Grows with every change on disk.")]
    error: str | None = None


class Collections(Reply):
    """All collections that are served."""

    collections: list[CollectionSummary]


class SpaceInfo(Reply):
    """A space of a collection, and what it cost."""

    spec: str
    index: str
    dim: int
    kind: str
    metric: str
    fit_seconds: float
    encode_seconds: float
    code_bytes: int
    fitted_on_present_items: Annotated[bool, Meta(description="False when items were added or removed since.")]
    shape: list[int] | None = None


class FilterInfo(Reply):
    """A field that searches can be filtered by, with its most frequent values."""

    field: str
    items: int
    n_values: int
    values: dict[str, int]


class CollectionInfo(Reply):
    """What a collection holds."""

    name: str
    corpus: str
    modality: str
    generation: int
    items: int
    digest: Annotated[str, Meta(description="SHA-256 of the items in their order.")]
    bytes: int
    on_server: Annotated[bool, Meta(description="Whether the items are in Elasticsearch.")]
    columns: Annotated[list[str], Meta(description="Columns of rows; empty for others.")]
    spaces: list[SpaceInfo]
    filters: list[FilterInfo]


class QueryInfo(Reply):
    """The query as it was understood; its id is that of the item that it is, if it is one."""

    id: str | None
    title: str | None
    label: str | None


class AppliedFilter(Reply):
    """A filter as it was understood."""

    field: str
    value: str
    operator: str


class Hit(PartialReply):
    """An answer: the larger its score, the better; its distance is in the metric of the space, if it has one."""

    id: str
    score: float
    distance: float | None = None
    label: str | None = None
    title: str | None = None
    snippet: str | None = None
    seconds: Annotated[float | None, Meta(description="Length of a sound.")] = None
    row: dict[str, Cell] | None = None
    ranks: Annotated[list[float | None] | None, Meta(description="Of a fused answer, in the order of the spaces.")] = (
        None
    )


class SpaceAnswers(PartialReply):
    """The answers of one space, best first; the note says why there are none."""

    spec: str
    options: Annotated[str, Meta(description="The spec with every option.")]
    metric: str
    note: str | None = None
    milliseconds: float | None = None
    hits: list[Hit] | None = None


class Fusion(PartialReply):
    """How the lists of the spaces were joined."""

    method: str
    depth: int
    milliseconds: float
    constant: float | None = None
    weights: dict[str, float] | None = None


class Shortlist(PartialReply):
    """The candidates that were re-ranked."""

    spec: str
    options: str
    held: int
    items: int
    share: float
    milliseconds: dict[str, float]
    candidates: int | None = None
    radius: int | None = None


class SearchResult(PartialReply):
    """The answers to one query: of every space; or one fused list, `hits`; or the re-ranked list of one space."""

    query: QueryInfo
    filters: list[AppliedFilter]
    spaces: list[SpaceAnswers]
    hits: list[Hit] | None = None
    fusion: Fusion | None = None
    shortlist: Shortlist | None = None
    note: Annotated[str | None, Meta(description="Why one of several queries has no answer.")] = None


class SearchReply(Reply):
    """One result for each query, in their order, all of one generation of the collection."""

    generation: int
    results: list[SearchResult]
    notes: Annotated[list[str], Meta(description="What a person should know, e.g. columns that a row lacks.")] = []


class SpaceExplanation(PartialReply):
    """Why an item answers a query in one space; the note says why it does not."""

    spec: str
    score: float | None = None
    distance: float | None = None
    rank: Annotated[int | None, Meta(description="Rank among the answers, from 1; left out beyond 1,000.")] = None
    words: Annotated[dict[str, float], Meta(description="Shared words and their parts of the score.")] = {}
    note: str | None = None


class ExplainReply(Reply):
    """Why an item answers a query, in each space."""

    id: str
    spaces: list[SpaceExplanation]


class ItemReply(PartialReply):
    """An item of a collection; `media` is the path of its picture or sound."""

    id: str
    metadata: dict[str, str]
    title: Annotated[str | None, Meta(description="Its title; of a text without one, its beginning.")] = None
    label: str | None = None
    text: str | None = None
    row: dict[str, Cell] | None = None
    vector: list[float] | None = None
    shape: list[int] | None = None
    seconds: float | None = None
    media: str | None = None


class ItemsReply(Reply):
    """A page of the items, in their order."""

    total: int
    offset: int
    items: list[ItemReply]


class EncodeReply(Reply):
    """The code of every query: a list of numbers, or of a sparse space the weight of every word."""

    space: str
    dim: int
    kind: str
    metric: str
    codes: list[list[float] | dict[str, float]]


class MapColour(Reply):
    """What the items of a map are coloured by: the value of item i, in the order of the map."""

    by: Annotated[str, Meta(description="cluster, hubness or score.")]
    name: Annotated[str, Meta(description="What a value is.")]
    unit: str
    values: Annotated[list[float | None], Meta(description="Clusters count from 0, the largest first.")]
    small_is_near: Annotated[bool, Meta(description="Whether values are distances.")] = False
    note: Annotated[str | None, Meta(description="How they were measured, if not from all items.")] = None


class MapReply(PartialReply):
    """The two principal components of a space: item i is at (x[i], y[i])."""

    space: str
    generation: int
    total: Annotated[int, Meta(description="Items of the collection; fewer may be on the map.")]
    ids: list[str]
    labels: list[str | None]
    x: list[float]
    y: list[float]
    colour: MapColour | None = None


class ComponentReply(Reply):
    """A component: words with the largest positive and negative weights, or a picture."""

    picture: Annotated[str | None, Meta(description="A byte for each pixel, in base64; 127 is nothing.")]
    more: list[str]
    less: list[str]


class ComponentsReply(Reply):
    """The first components of a space."""

    space: str
    total: int
    clusters: Annotated[bool, Meta(description="Whether they are means of clusters, of which an item is one.")]
    ordered: Annotated[bool, Meta(description="Whether the most important ones are first.")]
    signed: bool
    shape: Annotated[list[int] | None, Meta(description="Height and width of the pictures.")]
    components: list[ComponentReply]
    note: Annotated[str | None, Meta(description="Why there are none.")] = None


class DecodedContent(PartialReply):
    """An item, or what a code decodes to; files are in base64."""

    image: Annotated[str | None, Meta(description="A PNG; of a sound, its spectrogram.")] = None
    sound: Annotated[str | None, Meta(description="A WAV.")] = None
    row: dict[str, Cell] | None = None
    words: Annotated[dict[str, float] | None, Meta(description="Words with the largest weights.")] = None
    vector: list[float] | None = None


class ReconstructReply(PartialReply):
    """An item and its reconstruction; the note says why there is none."""

    space: str
    id: str
    change: Annotated[str, Meta(description="sum: components are added; move: one is moved; none: neither.")]
    total: Annotated[int, Meta(description="Number of components.")] = 0
    first: int | None = None
    component: int | None = None
    value: Annotated[float | None, Meta(description="Number of the component that is decoded.")] = None
    deviation: Annotated[float | None, Meta(description="Standard deviation of the component.")] = None
    original: DecodedContent | None = None
    reconstruction: DecodedContent | None = None
    error: Annotated[float | None, Meta(description="Squared error, summed over the values.")] = None
    note: str | None = None


class InterpolateReply(PartialReply):
    """What the codes between two items decode to; the note says why nothing."""

    space: str
    shares: Annotated[list[float], Meta(description="How far each code is on the way, from 0 to 1.")]
    contents: list[DecodedContent]
    note: str | None = None


class TrainingPhase(Reply):
    """One phase of a training: its losses, one an epoch; epochs count from 1."""

    name: str
    train_loss: list[float]
    validation_loss: list[float]
    train_measure: str
    validation_measure: str
    loss_unit: str
    best_epoch: int
    seconds: float


class TrainingReply(Reply):
    """The phases in which a space was trained by epochs; none for other spaces."""

    space: str
    phases: list[TrainingPhase]


class PerQueryReply(Reply):
    """The values of one measure for some queries: `spaces` has a list for each space, in the order of `queries`."""

    measure: str
    measures: list[str]
    total: int
    offset: int
    queries: list[str]
    spaces: dict[str, list[float]]


class Embedding(Reply):
    """One embedding as OpenAI's clients read it."""

    object: str
    index: int
    embedding: list[float] | str


class Usage(Reply):
    """OpenAI counts tokens; we count words."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(Reply):
    """A reply as OpenAI's clients read it."""

    object: str
    data: list[Embedding]
    model: str
    usage: Usage


class Model(Reply):
    """A model as OpenAI's clients list it: one space of one collection."""

    id: str
    object: str
    created: int
    owned_by: str


class Models(Reply):
    """All models."""

    object: str
    data: list[Model]


class Health(Reply):
    """Whether the service answers."""

    status: str
    version: str
    collections: int


class Progress(Reply):
    """An event of long work: what it does, and how far it is."""

    text: str


class Document(Reply):
    """A document of nearby; its own schema describes it."""

    document: dict[str, Any]
