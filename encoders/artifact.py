"""A folder of manifest.json + state.safetensors (+ vocabulary.json), written all or nothing. No pickle, ever."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.errors import ArtifactError, NearbyError, OptionError, SpecError, UnknownNameError, one_line
from encoders.json_text import parse_json
from encoders.plain_file import open_plain, read_plain

if TYPE_CHECKING:
    from encoders.base import Encoder

FORMAT = 1
MANIFEST, STATE, VOCABULARY = "manifest.json", "state.safetensors", "vocabulary.json"
MAX_MANIFEST_BYTES = 64 * 1024 * 1024


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target` that takes its place by one rename when the block succeeds.

    An older folder at `target` is replaced. On any failure `target` is what it was.
    """
    from safetensors import SafetensorError

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    try:
        yield temporary
        for path in temporary.rglob("*"):
            fsync(path)
        fsync(temporary)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
            target.rename(old / "old")
            temporary.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(target)
        fsync(target.parent)
    except (OSError, SafetensorError) as error:  # the latter where the disk was full
        shutil.rmtree(temporary, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise ArtifactError(f"cannot write {target}: {reason}; nothing was changed") from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def fsync(path: Path) -> None:
    """Make a file or folder's content durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people: indented, unicode as it is."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON object, or say in one sentence what is wrong with it.

    Raises
    ------
    ArtifactError
        When the file is missing, too large, not JSON, or not an object.
    """
    try:
        value = parse_json(read_plain(path, MAX_MANIFEST_BYTES))
    except FileNotFoundError:
        raise ArtifactError(f"{path.parent} is not {what}: it has no {path.name}") from None
    except NotADirectoryError:
        raise ArtifactError(f"{path.parent} is not {what}: it is not a folder") from None
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ArtifactError(f"{path} is corrupt: {one_line(error)}") from None
    if not isinstance(value, dict):
        raise ArtifactError(f"{path} is corrupt: expected a JSON object")
    return value


def check_format(manifest: dict[str, Any], kind: str, path: Path, newest: int = FORMAT) -> None:
    """Refuse foreign manifests and those of a newer format."""
    if manifest.get("nearby") != kind:
        raise ArtifactError(f"{path} is not {kind} of nearby (it says {ascii(manifest.get('nearby'))[:40]})")
    found = manifest.get("format")
    if not isinstance(found, int):
        raise ArtifactError(f"{path} is corrupt: its format is {ascii(found)[:40]}, not a number")
    if found > newest:
        raise ArtifactError(f"{path} has format {found}, this nearby reads up to {newest}: install a newer nearby")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def library_versions() -> dict[str, str]:
    """Return the versions that a result depends on, without importing the libraries."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("nearby", "numpy", "scipy", "scikit-learn", "torch", "faiss-cpu", "sentence-transformers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def save_encoder(encoder: Encoder, folder: Path) -> Path:
    """Write a fitted encoder."""
    from safetensors.numpy import save_file

    learnt = encoder.learnt_shape()
    with atomic_folder(folder) as temporary:
        state = {key: value if value.flags.c_contiguous else value.copy() for key, value in encoder.state().items()}
        save_file(state, temporary / STATE)
        words = encoder.vocabulary
        if words is not None:
            (temporary / VOCABULARY).write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        manifest = {
            "nearby": "an encoder",
            "format": FORMAT,
            "spec": str(encoder),
            "config": encoder.spec(full=True),
            "learnt": learnt,
            "fitted_on": encoder.fitted_on,
            "digests": {
                name: digest_of(temporary / name) for name in (STATE, VOCABULARY) if (temporary / name).exists()
            },
            "versions": library_versions(),
        }
        write_json(temporary / MANIFEST, manifest)
    return folder


def load_encoder(folder: Path) -> Encoder:
    """Read an encoder that `save_encoder` wrote.

    Raises
    ------
    ArtifactError
        When the folder is missing, foreign, of a newer format, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from encoders.probe import require_fitting
    from encoders.registry import create

    manifest = read_json(folder / MANIFEST, "a saved encoder")
    check_format(manifest, "an encoder", folder / MANIFEST)
    try:
        for name, digest in manifest["digests"].items():
            if name not in (STATE, VOCABULARY) or digest_of(folder / name) != digest:
                raise ArtifactError(f"{folder / name} is damaged: its checksum is not the one in {MANIFEST}")
        encoder = create(manifest["config"])
        encoder.restore_shape(manifest["learnt"])
        encoder.fitted_on = manifest["fitted_on"]
        if VOCABULARY in manifest["digests"]:
            encoder.vocabulary = parse_json(read_plain(folder / VOCABULARY))
        encoder.restore(load_file(folder / STATE))
        require_fitting(encoder)
    except (SpecError, OptionError, UnknownNameError) as error:  # of several lines, for who has typed the spec
        raise ArtifactError(f"{folder} is corrupt: {one_line(error)}") from error
    except NearbyError:
        raise
    except OSError as error:
        lost = Path(error.filename or folder).name
        raise ArtifactError(f"{folder} is incomplete: {lost} cannot be read ({error.strerror or error})") from error
    except (
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise ArtifactError(f"{folder} is corrupt: {type(error).__name__} {one_line(error)}") from error
    return encoder


def encoder_digest(folder: Path) -> str:
    """Return the identity of a saved encoder: the digest of its manifest, which names the digests of all else."""
    return digest_of(folder / MANIFEST)
