"""The encoders, from their registry and docstrings."""

from __future__ import annotations

from docstrings import read
from option_table import option_table
from regions import table

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.registry import ENCODERS, OTHER_NAMES, encoder_class

#: Title of a section -> the folder of its encoders.
GROUPS = {
    "Readers of texts": "text",
    "Readers of pictures": "image",
    "Readers of sounds": "audio",
    "Readers of tables and vectors": "table",
    "Given embeddings": "given",
    "Projections": "projection",
    "Quantisers": "quantization",
    "Clusters": "cluster",
    "Neural networks": "neural",
    "Densities": "density",
}
_READS = {
    Modality.TEXT: "texts",
    Modality.IMAGE: "pictures",
    Modality.SOUND: "sounds",
    Modality.ROW: "rows of a table",
    Modality.VECTOR: "vectors or codes",
    Modality.ITEM: "items of any modality, with their ids",
}


def groups() -> dict[str, list[str]]:
    """Return the names of the encoders of every section, in the order of the registry."""
    folders = {name: entry.location.split(".")[1] for name, entry in ENCODERS.items()}
    return {title: [name for name in ENCODERS if folders[name] == folder] for title, folder in GROUPS.items()}


def write_overview() -> str:
    """Return one table of all encoders: what each is, and when to use it."""
    rows = [
        [f"[`{name}`](#{name})", ENCODERS[name].summary, _use(name)] for names in groups().values() for name in names
    ]
    return table(["encoder", "what it is", "use it"], rows)


def write_encoders() -> str:
    """Return one section for each encoder, by what they read and how they work."""
    parts = []
    for title, names in groups().items():
        parts.append(f"## {title}")
        parts += [_section(name) for name in names]
    return "\n\n".join(parts)


def write_short_list() -> str:
    """Return the names of the encoders of every section, for the README."""
    rows = [[title.lower(), " ".join(f"`{name}`" for name in names)] for title, names in groups().items()]
    return table(["kind", "encoders"], rows)


def _section(name: str) -> str:
    cls = encoder_class(name)
    text = read(cls)
    others = sorted(other for other, known in OTHER_NAMES.items() if known == name)
    also = f" Also called {', '.join(others)}." if others else ""
    parts = [
        f"### {name}",
        f"{text.summary}{also}",
        f"**Use it** {_use(name)}.",
        text.details.partition("\n\n")[2],
        f"**Reads** {_READS[cls.reads]}. {_abilities(cls)}",
        option_table(cls) or "It has no options.",
        f"**Source:** {text.source}" if text.source else "",
    ]
    return "\n\n".join(part.strip() for part in parts if part)


def _use(name: str) -> str:
    """Return when to use an encoder: ``when you ...``."""
    return ENCODERS[name].use.removeprefix("Use it ").removesuffix(".").replace("``", "`")


def _abilities(cls: type[Encoder]) -> str:
    """Say what an encoder can do that not all can."""
    sentences = ["Its code is bits, compared by Hamming distance."] if cls.gives_bits else []
    if cls.__module__.startswith("encoders.quantization."):
        sentences.append("Its code takes few bytes in an exact index; queries are not reduced.")
    if "_decode" in _overridden(cls):
        sentences.append("Codes can be decoded.")
    if cls.has_prior:
        sentences.append("New items can be sampled from its prior.")
    if cls.reads_missing:
        sentences.append("Missing entries (NaN) are allowed.")
    if "reads_labels" in _overridden(cls):
        sentences.append("It can learn from labels.")
    if cls.reads is Modality.VECTOR and not cls.reads_sparse:
        sentences.append("It needs dense input: put lsa, pca or random-projection before it.")
    return " ".join(sentences)


def _overridden(cls: type[Encoder]) -> set[str]:
    return {name for base in cls.__mro__ if base is not Encoder and issubclass(base, Encoder) for name in vars(base)}
