"""Loads encoders that lie on the disk, by sentence-transformers or model2vec; it asks no network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from deflect.errors import EncoderError, OptionalDependencyError
from deflect.line.encoder import Encoder, NamedEncoder

Reader = Callable[[str], Encoder]

#: The packages that read encoders, and the extras that install them.
_TRANSFORMERS = ("sentence-transformers", "encoder")
_STATIC = ("model2vec", "static-encoder")


def load_encoder(name_or_path: str | os.PathLike[str]) -> NamedEncoder:
    """Load a sentence encoder from the disk.

    When to use it: to train with an encoder, and to load a bundle that was trained with one. Any other object with a
    method ``encode`` will do as well, such as a ``SentenceTransformer`` that you have loaded yourself.

    Parameters
    ----------
    name_or_path
        A directory, or the name of a model that was downloaded before, as in "sentence-transformers/all-MiniLM-L6-v2".
        Nothing is downloaded here.

    Returns
    -------
    The encoder: of model2vec where its ``config.json`` says so, else of sentence-transformers. Behind the latter's own
    vector of a text stand the means of the two layers before the last.

    Raises
    ------
    EncoderError
        It is not on the disk, or cannot be read.
    OptionalDependencyError
        The package that reads it is not installed.

    Examples
    --------
    >>> load_encoder("no-such-encoder")
    Traceback (most recent call last):
    ...
    deflect.errors.EncoderError: The encoder must be a directory or ...

    """
    folder = _folder(name_or_path)
    try:
        read = _static_reader() if _is_static(folder) else _transformer_reader()
        model = read(str(folder))
    except OptionalDependencyError:
        raise
    except Exception as error:  # Each format of a damaged model has errors of its own.
        msg = f"{folder} must be an encoder of sentence-transformers or model2vec. {type(error).__name__}: {error}"
        raise EncoderError(msg) from error
    # A path says where it lies on this machine, which is nobody else's business.
    is_path = Path(name_or_path).is_dir()
    return NamedEncoder(Path(name_or_path).resolve().name if is_path else str(name_or_path), model)


def _folder(name_or_path: str | os.PathLike[str]) -> Path:
    """Return where an encoder lies: the directory itself, or a folder of the cache of downloaded models."""
    path = Path(name_or_path)
    if str(name_or_path) and path.is_dir():
        return path
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise OptionalDependencyError(*_TRANSFORMERS) from None
    try:
        return Path(snapshot_download(str(name_or_path), local_files_only=True))
    except (OSError, ValueError):
        msg = (
            "The encoder must be a directory or the full name of a model that was downloaded before, as in "
            f"sentence-transformers/all-MiniLM-L6-v2. Got {str(name_or_path)!r}. Download it first, or give its path."
        )
        raise EncoderError(msg) from None


def _is_static(folder: Path) -> bool:
    config = folder / "config.json"
    return config.is_file() and json.loads(config.read_bytes()).get("model_type") == "model2vec"


def _static_reader() -> Reader:
    try:
        from model2vec import StaticModel
    except ImportError:
        raise OptionalDependencyError(*_STATIC) from None
    return StaticModel.from_pretrained


def _transformer_reader() -> Reader:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise OptionalDependencyError(*_TRANSFORMERS) from None
    return lambda folder: SentenceTransformer(folder, local_files_only=True)
