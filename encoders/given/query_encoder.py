"""The encoder of queries beside vectors of items that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from encoders.artifact import MANIFEST
from encoders.base import Encoder, State
from encoders.codes import Kind
from encoders.errors import BadItemError, DimensionError, OptionError
from encoders.spec import write_stage

#: What an address of an endpoint begins with.
ADDRESSES = ("http://", "https://")


class QueryEncoder:
    """An encoder that is made when it is first needed: from the address of an endpoint, a spec, or a saved folder.

    Parameters
    ----------
    text : str
        ``https://HOST/v1/embeddings``, ``sbert:FOLDER`` or a folder that a saved encoder is in.
    model : str or None
        The model of an endpoint.

    Raises
    ------
    OptionError
        When a model is missing, or given without an endpoint.
    """

    def __init__(self, text: str, model: str | None) -> None:
        if text.startswith(ADDRESSES):
            if model is None:
                raise OptionError(f"given: encoder={text} needs the name of its model: add model=NAME")
            text = write_stage("endpoint", text, {"model": model})
        elif model is not None:
            raise OptionError("given: model= is the model of an endpoint: give encoder=https://HOST/v1/embeddings too")
        self._text = text
        self._made: Encoder | None = None
        self._learnt: tuple[dict[str, Any], State] | None = None

    @property
    def encoder(self) -> Encoder:
        """The encoder, fitted.

        Raises
        ------
        BadItemError
            When it would have to learn from a corpus.
        """
        if self._made is None:
            self._made = self._make()
        return self._made

    def require_width(self, dim: int, file: str) -> None:
        """Raise `DimensionError` when queries would have another width than the vectors of the items in a file."""
        space = self.encoder.space
        if space.kind is not Kind.DENSE or space.dim != dim:
            raise DimensionError(
                f"'{self.encoder}' gives {space.kind} codes of {space.dim:,} numbers, the vectors in {file} have "
                f"{dim:,}: encode queries with the model of the items"
            )

    def remarks(self) -> list[str]:
        """Return the remarks of the encoder, if it was used."""
        return [] if self._made is None else self._made.remarks()

    def learnt(self) -> tuple[dict[str, Any], State] | None:
        """Return the learnt shape and state; None for a saved folder, which keeps its own."""
        if self._is_saved():
            return None
        return self.encoder.learnt_shape(), self.encoder.state()

    def restore(self, shape: dict[str, Any], state: State) -> None:
        """Restore what `learnt` returned, when the encoder is first needed."""
        self._learnt, self._made = (shape, state), None

    def _make(self) -> Encoder:
        from encoders.registry import create

        if self._is_saved():
            return Encoder.load(self._text)
        encoder = create(self._text)
        if self._learnt is not None:
            shape, state = self._learnt
            encoder.restore_shape(shape)
            encoder.restore(state)
            return encoder
        encoder.fit(["width"])
        if encoder.vocabulary is not None:
            raise BadItemError(
                f"given: encoder={self._text} learns from a corpus, so it cannot be the model of the vectors: name a "
                "pretrained model, an endpoint or the folder of a saved encoder"
            )
        return encoder

    def _is_saved(self) -> bool:
        return (Path(self._text).expanduser() / MANIFEST).is_file()
