"""What is inside a space: components, reconstructions, walks between items, and its training."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retrieval.service.replies.base import Cell, PartialReply, Reply


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
