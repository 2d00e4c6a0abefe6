"""Writes and reads bundles: a trained model as a directory of plain files, checked before they are opened.

A bundle has ``manifest.json`` (format, categories, parameters, thresholds with their evidence, fingerprint of the
training data, metrics, the versions of what made it, and the SHA-256 of every file, itself included), NumPy arrays
without pickle, ``playbook.toml`` and ``card.md``. ``LAYOUT`` names the arrays.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deflect.errors import BundleError, BundleVersionError
from deflect.line.hashing import SlotTable
from deflect.line.incident_prior import IncidentPrior
from deflect.line.playbook import Playbook, parse_playbook
from deflect.line.scorer import Scorer
from deflect.line.thresholds import Thresholds

if TYPE_CHECKING:
    from deflect.line.encoder import EncoderPart

#: Raised by two whenever an older deflect could not read the new files rightly, or a newer one the old.
FORMAT = 6
#: A model with an encoder has this one, since an older deflect would leave the encoder out and answer wrongly.
FORMAT_WITH_ENCODER = 7
MANIFEST = "manifest.json"
#: The arrays of a bundle, and the types they must have.
LAYOUT = {
    "slots.npy": np.uint64,
    "seeds.npy": np.uint8,
    "table.npy": np.float32,
    "squares.npy": np.float32,
    "rarities.npy": np.float32,
    "gram_slots.npy": np.uint64,
    "gram_seeds.npy": np.uint8,
    "gram_table.npy": np.float16,
    "intercept.npy": np.float32,
}
#: Those that a model with an encoder has besides.
ENCODER_LAYOUT = {"encoder_directions.npy": np.float16, "encoder_weights.npy": np.float32}
_TEXTS = ("playbook.toml", "card.md")
#: The manifest's last key: the SHA-256 of the manifest's own bytes while this value is empty.
_SEAL = "manifest_sha256"
#: Keys that a manifest need not have.
_PRIOR = "incident_prior"
_ENCODER = "encoder"
_MAX_MANIFEST_BYTES = 50_000_000


@dataclass(frozen=True, eq=False)
class Bundle:
    """What a bundle holds; ``version`` is the beginning of the manifest's own hash."""

    scorer: Scorer
    thresholds: Thresholds
    playbook: Playbook
    fingerprint: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    version: str = ""
    incident_prior: IncidentPrior = field(default_factory=IncidentPrior)


def starter_bundle() -> Path:
    """Return where the starter bundle lies: inside an installed package, beside it in a clone."""
    package = Path(__file__).resolve().parents[1]
    places = [package / "models" / "starter", package.parent / "models" / "starter"]
    return next((place for place in places if (place / MANIFEST).is_file()), places[0])


def write_bundle(directory: str | os.PathLike[str], bundle: Bundle) -> None:
    """Write a bundle as a whole or not at all; a bundle that is already there is replaced."""
    import tempfile  # Three milliseconds, which a form that only reads must not wait for.

    target = Path(directory)
    if target.exists() and not _is_replaceable(target):
        msg = (
            f"{target} must be a bundle, an empty directory or free. It holds something else. Choose another directory."
        )
        raise BundleError(msg)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        _write_files(fresh, bundle)
        old = Path(scratch) / "old"
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            # The scratch directory is about to go, and must not take the only bundle with it.
            if old.exists():
                old.rename(target)
            raise


def _is_replaceable(target: Path) -> bool:
    """Tell whether a path is an empty directory or a bundle; other programs have a manifest.json too."""
    names = {entry.name for entry in target.iterdir()} if target.is_dir() else {""}
    return not names or (MANIFEST in names and names <= {MANIFEST, *LAYOUT, *ENCODER_LAYOUT, *_TEXTS})


def _write_files(directory: Path, bundle: Bundle) -> None:
    from deflect.line.card import model_card  # Only writing needs it.

    scorer = bundle.scorer
    found, grams = scorer.slots, scorer.gram_slots
    known = (found.slots, found.seeds, scorer.table, scorer.squares, scorer.rarities)
    arrays = (*known, grams.slots, grams.seeds, scorer.gram_table, scorer.intercept)
    part = scorer.encoder_part
    layout = LAYOUT if part is None else LAYOUT | ENCODER_LAYOUT
    dense = () if part is None else (part.directions, part.weights)
    for (name, dtype), array in zip(layout.items(), (*arrays, *dense), strict=True):
        np.save(directory / name, np.ascontiguousarray(array, dtype=dtype), allow_pickle=False)
    # As bytes, so that line ends of another system stay as they are.
    (directory / "playbook.toml").write_bytes(bundle.playbook.source.encode())
    card = model_card(scorer, bundle.thresholds, bundle.fingerprint, bundle.metrics)
    (directory / "card.md").write_text(card, encoding="utf-8", newline="\n")
    manifest = {
        "format": FORMAT if part is None else FORMAT_WITH_ENCODER,
        "categories": list(scorer.categories),
        "parameters": {"sharpness": scorer.sharpness},
        "thresholds": bundle.thresholds.to_dict(),
        "training_data": {"sha256": bundle.fingerprint},
        "metrics": dict(bundle.metrics),
        "made_with": _versions(),
        "files": {name: _sha256(directory / name) for name in (*layout, *_TEXTS)},
        # One that was not learned is not written: it is this version's default, and may become another's.
        **({_PRIOR: bundle.incident_prior.to_dict()} if bundle.incident_prior != IncidentPrior() else {}),
        **({} if part is None else {_ENCODER: part.identity.to_dict()}),
        _SEAL: "",
    }
    raw = (json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    seal = hashlib.sha256(raw).hexdigest()
    (directory / MANIFEST).write_bytes(raw.replace(f'"{_SEAL}": ""'.encode(), f'"{_SEAL}": "{seal}"'.encode()))


def _versions() -> dict[str, str]:
    """Return the versions of what made a bundle, as far as it is installed."""
    from importlib import metadata  # A sixth of what importing NumPy takes, and only writing needs it.

    found = {}
    for name in ("ticket-deflect", "numpy", "scipy", "scikit-learn"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def read_bundle(directory: str | os.PathLike[str]) -> Bundle:
    """Check a bundle's format and hashes, then open it; the arrays are mapped, not read.

    A scorer that needs an encoder does not have it yet.
    """
    path = Path(directory)
    manifest, version = _manifest(path)
    try:
        _check_files(path, manifest["files"])
        return _opened(path, manifest, version)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = (
            f"{path / MANIFEST} must hold what deflect writes. {type(error).__name__}: {error}. Copy the bundle again."
        )
        raise BundleError(msg) from None


def _check_files(path: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        file = path / name
        if Path(name).name != name or not file.is_file():
            msg = f"The bundle {path} must have the file {name}. It is missing. Copy the whole bundle again."
            raise BundleError(msg)
        if _sha256(file) != expected:
            msg = f"{file} must have the SHA-256 {expected} of the manifest. It was changed. Copy the bundle again."
            raise BundleError(msg)


def _opened(path: Path, manifest: Mapping[str, Any], version: str) -> Bundle:
    arrays = (_array(path, name, dtype) for name, dtype in LAYOUT.items())
    slots, seeds, table, squares, rarities, gram_slots, gram_seeds, gram_table, intercept = arrays
    scorer = Scorer(
        categories=tuple(manifest["categories"]),
        slots=SlotTable(slots, seeds),
        table=table,
        squares=squares,
        rarities=rarities,
        gram_slots=SlotTable(gram_slots, gram_seeds),
        gram_table=gram_table,
        intercept=intercept,
        sharpness=float(manifest["parameters"]["sharpness"]),
        encoder_part=_encoder_part(path, manifest[_ENCODER]) if _ENCODER in manifest else None,
    )
    return Bundle(
        scorer,
        Thresholds.from_dict(manifest["thresholds"], scorer.categories),
        parse_playbook((path / "playbook.toml").read_bytes().decode(), str(path / "playbook.toml")),
        manifest["training_data"]["sha256"],
        manifest["metrics"],
        version,
        IncidentPrior.from_dict(manifest[_PRIOR]) if _PRIOR in manifest else IncidentPrior(),
    )


def _encoder_part(path: Path, values: Mapping[str, Any]) -> EncoderPart:
    from deflect.line.encoder import EncoderIdentity, EncoderPart  # Most models have none.

    directions, weights = (_array(path, name, dtype) for name, dtype in ENCODER_LAYOUT.items())
    return EncoderPart(EncoderIdentity.from_dict(values), directions.astype(np.float32), weights)


def _manifest(path: Path) -> tuple[dict[str, Any], str]:
    file = path / MANIFEST
    if not file.is_file():
        msg = f"{path} must be a bundle, a directory with {MANIFEST}. There is none. Write one with deflect train."
        raise BundleError(msg)
    if file.stat().st_size > _MAX_MANIFEST_BYTES:
        msg = f"{file} must have at most {_MAX_MANIFEST_BYTES} bytes. Got {file.stat().st_size}."
        raise BundleError(msg)
    raw = file.read_bytes()
    try:
        manifest = json.loads(raw)
        format_number = manifest["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        msg = f"{file} must be the JSON manifest of a bundle with a format number. Copy the bundle again."
        raise BundleError(msg) from None
    if not isinstance(format_number, int) or format_number > FORMAT_WITH_ENCODER:
        msg = (
            f"{path} must have format {FORMAT} or {FORMAT_WITH_ENCODER}. Got {format_number!r}. Upgrade ticket-deflect."
        )
        raise BundleVersionError(msg)
    if format_number < FORMAT:
        msg = f"{path} must have format {FORMAT}. Got {format_number!r}. Train it again with this version."
        raise BundleVersionError(msg)
    _check_seal(file, raw, manifest)
    expected = {"categories", "parameters", "thresholds", "training_data", "metrics", "files"}
    if format_number == FORMAT_WITH_ENCODER:
        expected.add(_ENCODER)
    lacking = sorted(expected - manifest.keys())
    layout = LAYOUT | ENCODER_LAYOUT if _ENCODER in manifest else LAYOUT
    unlisted = sorted({*layout, *_TEXTS} - set(manifest.get("files", ())))
    if lacking or unlisted:
        msg = f"{file} must be complete. It lacks {', '.join(lacking + unlisted)}. Copy the whole bundle again."
        raise BundleError(msg)
    return manifest, hashlib.sha256(raw).hexdigest()[:12]


def _check_seal(file: Path, raw: bytes, manifest: Mapping[str, Any]) -> None:
    seal = str(manifest.get(_SEAL)).encode("utf-8", "replace")
    if hashlib.sha256(raw.replace(b'"' + seal + b'"', b'""', 1)).hexdigest().encode() != seal:
        msg = f"{file} must have the SHA-256 that it names as {_SEAL}. It was changed. Copy the bundle again."
        raise BundleError(msg)


def _array(path: Path, name: str, dtype: type) -> np.ndarray[Any, Any]:
    try:
        # Unlike np.load it opens neither archives nor pickles.
        array = np.lib.format.open_memmap(path / name, mode="r")
    except (ValueError, OSError, OverflowError) as error:
        msg = f"{path / name} must be a NumPy array without pickle. {error}"
        raise BundleError(msg) from None
    if array.dtype != dtype:
        msg = f"{path / name} must hold {np.dtype(dtype)}. Got {array.dtype}."
        raise BundleError(msg)
    return np.asarray(array)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
