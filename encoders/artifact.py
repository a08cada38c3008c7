"""Saved encoders: an atomically written folder of manifest.json, state.safetensors and vocabulary.json. No pickle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.atomic_write import atomic_folder, recovered, write_json
from encoders.errors import ArtifactError, NearbyError, OptionError, SpecError, UnknownNameError, one_line
from encoders.json_text import parse_json
from encoders.plain_file import open_plain, read_plain

if TYPE_CHECKING:
    from encoders.base import Encoder

FORMAT = 1
MANIFEST, STATE, VOCABULARY = "manifest.json", "state.safetensors", "vocabulary.json"
MAX_MANIFEST_BYTES = 64 * 1024 * 1024


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises
    ------
    ArtifactError
        When the file is missing, too large, not JSON, or not an object.
    """
    recovered(path.parent)
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
    """Raise an error for a manifest of another program or of a newer format."""
    if manifest.get("nearby") != kind:
        raise ArtifactError(f"{path} is not {kind} of nearby (it says {ascii(manifest.get('nearby'))[:40]})")
    version = manifest.get("format")
    if type(version) is not int or version < 1:
        raise ArtifactError(f"{path} is corrupt: its format is {ascii(version)[:40]}, not a number from 1")
    if version > newest:
        raise ArtifactError(f"{path} has format {version}, this nearby reads up to {newest}: install a newer nearby")


def sealed(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest with its checksum, with which `check_seal` detects changed values."""
    return {**manifest, "digest": _digest_of_values(manifest)}


def check_seal(manifest: dict[str, Any], path: Path) -> None:
    """Raise an error for a manifest with changed values; a manifest of an older nearby has no checksum."""
    if "digest" in manifest and manifest["digest"] != _digest_of_values(manifest):
        raise ArtifactError(f"{path.parent} is corrupt: the values in {path.name} do not have the checksum beside them")


def _digest_of_values(manifest: dict[str, Any]) -> str:
    values = json.dumps({key: value for key, value in manifest.items() if key != "digest"}, sort_keys=True)
    return hashlib.sha256(values.encode()).hexdigest()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: The name of nearby in pip; another project has the name nearby.
DISTRIBUTION = "nearby-spaces"


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that influence results, without importing them."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    packages = ("numpy", "scipy", "scikit-learn", "torch", "faiss-cpu", "sentence-transformers")
    for name, package in (("nearby", DISTRIBUTION), *((package, package) for package in packages)):
        try:
            versions[name] = version(package)
        except PackageNotFoundError:
            continue
    return versions


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
        write_json(temporary / MANIFEST, sealed(manifest))
    return folder


def load_encoder(folder: str | Path) -> Encoder:
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

    folder = Path(folder)
    manifest = read_json(folder / MANIFEST, "a saved encoder")
    check_format(manifest, "an encoder", folder / MANIFEST)
    check_seal(manifest, folder / MANIFEST)
    try:
        check_encoder_files(folder, manifest)
        encoder = create(manifest["config"])
        encoder.restore_shape(manifest["learnt"])
        encoder.fitted_on = manifest["fitted_on"]
        if VOCABULARY in manifest["digests"]:
            encoder.vocabulary = parse_json(read_plain(folder / VOCABULARY))
        encoder.restore(load_file(folder / STATE))
        require_fitting(encoder)
    except (SpecError, OptionError, UnknownNameError) as error:  # the message of a spec has several lines
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


def check_encoder_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Compare all files of a saved encoder with the checksums of its manifest.

    Raises
    ------
    ArtifactError
        Naming the file that is damaged.
    """
    for name, digest in manifest["digests"].items():
        if name not in (STATE, VOCABULARY) or digest_of(folder / name) != digest:
            raise ArtifactError(f"{folder / name} is damaged: its checksum is not the one in {MANIFEST}")


def encoder_digest(folder: Path) -> str:
    """Return the digest of the manifest, which identifies a saved encoder: it contains the digests of all files."""
    return digest_of(folder / MANIFEST)
