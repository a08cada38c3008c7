"""Conversions as one HTML file that plays them, and the converted sounds or pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.atomic_write import write_json
from encoders.numbers import counted
from encoders.sound import Sound
from retrieval.applications.conversion import Conversion, Conversions
from retrieval.applications.reconstruction_table import is_picture
from retrieval.output import write_wav, writing
from retrieval.report.conversion_words import answer, pairs_notes, verdict_of
from retrieval.report.figures.pictures import THUMBNAIL, as_image, data_uri, png
from retrieval.report.figures.spectrogram import picture_shown, spectrogram
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.sounds import sound_uri
from retrieval.report.html.template import render
from retrieval.report.json import finite
from retrieval.report.terminal.conversions import conversions_json
from retrieval.search.result import Shown, length_of

PAGE, FILES = "conversion.html", "converted"
#: Pictures up to this side are enlarged by whole pixels.
_SMALL = 48
#: Letters of an id in the name of a file.
_NAME = 60


def write_conversions(conversions: Conversions, provenance: Mapping[str, Any], folder: Path) -> Path:
    """Write the page, ``conversion.json``, and each conversion as a file of its own; return the page.

    Raises
    ------
    ArtifactError
        When they cannot be written.
    MissingLibraryError
        When a library of sound is not installed.
    """
    sounds = _sounds(conversions)
    names = [f"{FILES}/{name}" for name in file_names(conversions)] if sounds or _pictures(conversions) else []
    (folder / FILES if names else folder).mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(names):
        if sounds is not None:
            write_wav(folder / name, [sounds[at]])
        else:
            with writing(folder / name) as file:
                file.write(png(as_image(conversions.table.rows[1].contents[at])))
    described = conversions_json(conversions)
    for conversion, name in zip(described["conversions"], names, strict=False):
        conversion["file"] = name
    write_json(folder / "conversion.json", finite(described))
    with writing(folder / PAGE) as file:
        file.write(page(conversions, provenance, sounds, names).encode())
    return folder / PAGE


def file_names(conversions: Conversions) -> list[str]:
    """Return the name of the file of each conversion: its number, the item and the nuisance that it gets."""
    suffix = ".wav" if conversions.table.sounds is not None else ".png"
    digits = max(2, len(str(len(conversions.items))))
    return [
        f"{number:0{digits}}-{_plain(conversion.item.id)}-as-{_plain(conversion.wanted)}{suffix}"
        for number, conversion in enumerate(conversions.items, 1)
    ]


def page(
    conversions: Conversions,
    provenance: Mapping[str, Any],
    sounds: list[Sound] | None = None,
    names: list[str] | None = None,
) -> str:
    """Return the page: the answer, all pairs, each conversion beside its source, how it was made.

    Parameters
    ----------
    conversions : Conversions
    provenance : mapping
    sounds : list of Sound, optional
        The conversions, if they are sounds.
    names : list of str, optional
        The file of each conversion, relative to the page.
    """
    pairs = conversions.pairs
    return render(
        "conversion.html",
        title=f"nearby: conversion of {conversions.corpus}",
        corpus=conversions.corpus,
        count=counted(len(conversions.items), "item"),
        spec=conversions.spec,
        answer=answer(conversions),
        field=conversions.field,
        pairs=None if pairs is None else [
            {
                "title": f"Share in which {heard} is heard",
                "rows": [
                    {"name": name, "cells": [(f"{share:.2f}", share) for share in row.tolist()]}
                    for name, row in zip(pairs.values, matrix, strict=True)
                ],
            }
            for heard, matrix in pairs.matrices.items()
        ],
        values=[] if pairs is None else pairs.values,
        notes=[] if pairs is None else pairs_notes(pairs),
        heard=sounds is not None,
        items=[_item(conversions, at, conversion, sounds, names) for at, conversion in enumerate(conversions.items)],
        method="Classifiers were trained on the items of the collection, as they are, but not on those that are "
        "converted here.",
        provenance_entries=provenance_data(provenance),
    )  # fmt: skip


def _sounds(conversions: Conversions) -> list[Sound] | None:
    hear = conversions.table.rows[1].hear
    return None if hear is None else hear()


def _pictures(conversions: Conversions) -> bool:
    return all(is_picture(content) for content in conversions.table.rows[1].contents)


def _plain(name: str) -> str:
    """Return a name as a part of the name of a file.

    Examples
    --------
    >>> _plain("a/b c.wav"), _plain("../")
    ('a_b_c', '_')
    """
    return re.sub(r"[^\w-]+", "_", re.sub(r"\.(wav|flac|png|jpe?g)$", "", name, flags=re.IGNORECASE))[:_NAME]


def _item(
    conversions: Conversions, at: int, conversion: Conversion, sounds: list[Sound] | None, names: list[str] | None
) -> dict[str, Any]:
    """Return an article: what is converted, the conversion and a real item of the wanted nuisance."""
    picture = conversions.table.rows[1].contents[at]
    sound = None if sounds is None else sounds[at]
    shown = spectrogram(sound) if sound is not None else picture if is_picture(picture) else None
    source = f"{conversions.field} {conversion.own}" if conversion.own is not None else "source"
    cells = [
        _cell(
            _picture_of(conversion.item),
            conversion.item.sound,
            f"source, {conversion.item.id}",
            f"Source {conversion.item.id}",
        ),
        _cell(
            shown, sound, f"converted to {conversion.wanted}", f"{conversion.item.id} converted to {conversion.wanted}"
        ),
    ]
    if conversion.example is not None:
        real = conversion.example
        cells.append(
            _cell(
                _picture_of(real),
                real.sound,
                f"{conversion.wanted} in {real.id}",
                f"{conversion.wanted}, item {real.id}",
            )
        )
    return {
        "number": at + 1,
        "id": conversion.item.id,
        "label": conversion.item.label,
        "change": f"{source} to {conversion.wanted}",
        "verdict": verdict_of(conversion, conversions.field),
        "right": conversion.heard_nuisance == conversion.wanted
        and conversion.heard_label in (None, conversion.item.label),
        "cells": [cell for cell in cells if cell["src"]],
        "file": names[at] if names else None,
    }


def _picture_of(shown: Shown) -> NDArray[np.uint8] | None:
    return picture_shown(shown)


def _cell(picture: NDArray[np.uint8] | None, sound: Sound | None, caption: str, alt: str) -> dict[str, Any]:
    return {
        "src": None if picture is None else data_uri(picture, 2 * THUMBNAIL),
        "small": picture is not None and max(picture.shape[:2]) <= _SMALL,
        "sound": None if sound is None else sound_uri(sound),
        "length": "" if sound is None else length_of(sound),
        "caption": caption,
        "alt": alt,
    }
