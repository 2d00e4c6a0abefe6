"""Bundles: what is saved comes back, and what is not as it was is found."""

from __future__ import annotations

import hashlib
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.errors import BundleError, BundleVersionError
from deflect.line.bundle import FORMAT_WITH_ENCODER, LAYOUT, MANIFEST, Bundle, read_bundle, write_bundle
from deflect.line.playbook import parse_playbook
from deflect.line.scorer import Scorer
from deflect.line.thresholds import Threshold, Thresholds
from deflect.loop.classifier import TicketClassifier

FILES = (*LAYOUT, "playbook.toml", "card.md", MANIFEST)
TICKETS = ["the CNAME is wrong", "H12 again", "zzzqx Domäne", "", "域名 H12 H12"]
PLAYBOOK = """format = 1
[categories.dns]
owner = "networking"
reviewed_on = 2026-11-23
lead = "Most of the time a DNS récord is missing."
"""
METRICS = {"accuracy": 0.75, "coverage": 1 / 3}


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Return a small trained bundle."""
    return Bundle(trained(), promised(), parse_playbook(PLAYBOOK), "f" * 64, METRICS)


@pytest.fixture
def saved(bundle: Bundle, tmp_path: Path) -> Path:
    """Return a directory in which the small bundle was saved."""
    write_bundle(tmp_path / "bundle", bundle)
    return tmp_path / "bundle"


def trained() -> Scorer:
    """Return a model of two categories."""
    texts = ["the CNAME of our domain is wrong", "name servers do not answer", "request took 30 s", "it is slow, H12"]
    return TicketClassifier().fit(texts, ["dns", "dns", "timeout", "timeout"]).scorer_


def promised() -> Thresholds:
    """Return a promise that is kept and one that is silent."""
    kept = Threshold("dns", 0.625, 0.9, 0.95, 80, 60, 57, 0.875, 29)
    return Thresholds("category", ("dns", "timeout"), (kept, Threshold("timeout", None, 0.9, 0.95, 3, 0, 0, 0.0, 29)))


def contents(directory: Path) -> dict[str, bytes]:
    """Return the files of a directory."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def reseal(directory: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Change the manifest and make every hash fit again, as somebody would who wants to be believed."""
    manifest = json.loads((directory / MANIFEST).read_text("utf-8"))
    manifest["files"] = {name: digest((directory / name).read_bytes()) for name in manifest["files"]}
    manifest["manifest_sha256"] = ""
    change(manifest)
    raw = json.dumps(manifest).encode()
    sealed = raw.replace(b'"manifest_sha256": ""', f'"manifest_sha256": "{digest(raw)}"'.encode())
    (directory / MANIFEST).write_bytes(sealed)


def digest(raw: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(raw).hexdigest()


def replace_array(directory: Path, name: str, array: np.ndarray[Any, Any]) -> None:
    """Put another array into a bundle whose hashes fit."""
    with (directory / name).open("wb") as file:
        np.save(file, array, allow_pickle=True)
    reseal(directory)


def test_probabilities_come_back(bundle: Bundle, saved: Path) -> None:
    """A loaded bundle gives the same probabilities to the last bit."""
    assert np.array_equal(read_bundle(saved).scorer.probabilities(TICKETS), bundle.scorer.probabilities(TICKETS))


def test_the_rest_comes_back(bundle: Bundle, saved: Path) -> None:
    """Thresholds, playbook, fingerprint and metrics come back as they were."""
    read = read_bundle(saved)
    assert (read.thresholds, read.playbook) == (bundle.thresholds, bundle.playbook)
    assert (read.fingerprint, read.metrics) == ("f" * 64, METRICS)


def test_names_in_any_script(bundle: Bundle, tmp_path: Path) -> None:
    """Categories may have any name, and the directory too."""
    scorer = trained()
    names = ('DNS "ä"', "超时\u2028\0")
    scorer = Scorer(names, *(getattr(scorer, name) for name in list(Scorer.__dataclass_fields__)[1:]))
    thresholds = Thresholds("category", names, bundle.thresholds.promises)
    write_bundle(tmp_path / "bündel 1", Bundle(scorer, thresholds, bundle.playbook, ""))
    assert read_bundle(tmp_path / "bündel 1").scorer.categories == names


def test_line_ends_of_the_playbook(bundle: Bundle, tmp_path: Path) -> None:
    """A playbook that was written on another system keeps its line ends."""
    playbook = parse_playbook(PLAYBOOK.replace("\n", "\r\n"))
    write_bundle(tmp_path / "bundle", Bundle(bundle.scorer, bundle.thresholds, playbook, ""))
    assert read_bundle(tmp_path / "bundle").playbook.source == playbook.source


def test_the_files_of_a_bundle(saved: Path) -> None:
    """A bundle is the arrays, the playbook, the card and the manifest, which has the hash of each of the others."""
    found = contents(saved)
    manifest = json.loads(found.pop(MANIFEST))
    assert sorted(found) == sorted(FILES[:-1])
    assert manifest["files"] == {name: digest(raw) for name, raw in found.items()}


def test_nothing_is_left_beside_a_bundle(saved: Path) -> None:
    """Saving leaves the bundle and nothing else."""
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


def test_two_saves_are_equal(bundle: Bundle, saved: Path, tmp_path: Path) -> None:
    """Saving one bundle twice gives the same bytes."""
    write_bundle(tmp_path / "again", bundle)
    assert contents(tmp_path / "again") == contents(saved)


def test_saving_a_loaded_bundle(saved: Path, tmp_path: Path) -> None:
    """A bundle that was loaded and saved again is the same bytes."""
    write_bundle(tmp_path / "again", read_bundle(saved))
    assert contents(tmp_path / "again") == contents(saved)


def test_the_version_is_the_manifests(saved: Path) -> None:
    """A bundle's version is the beginning of its manifest's hash, so equal bundles have one version."""
    assert read_bundle(saved).version == digest((saved / MANIFEST).read_bytes())[:12]


@pytest.mark.parametrize("name", FILES)
def test_one_byte_changed(saved: Path, name: str) -> None:
    """One changed byte at the beginning, in the middle or at the end of any file is found, and the file is named."""
    raw = (saved / name).read_bytes()
    for place in (0, len(raw) // 2, len(raw) - 2):
        (saved / name).write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(BundleError, match=name.replace(".", r"\.")):
            read_bundle(saved)
    (saved / name).write_bytes(raw)
    assert read_bundle(saved).fingerprint == "f" * 64


def test_any_byte_of_the_manifest_changed(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No byte of the manifest can be changed unnoticed."""
    saved = tmp_path_factory.mktemp("bundles") / "bundle"
    write_bundle(saved, bundle)
    raw = (saved / MANIFEST).read_bytes()

    @given(st.integers(0, len(raw) - 1), st.integers(1, 255))
    def check(place: int, change: int) -> None:
        (saved / MANIFEST).write_bytes(raw[:place] + bytes([raw[place] ^ change]) + raw[place + 1 :])
        with pytest.raises(BundleError, match=r"manifest\.json|format"):
            read_bundle(saved)

    check()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("n_bytes", [0, 100])
def test_a_truncated_file(saved: Path, name: str, n_bytes: int) -> None:
    """A file that was cut is found and named."""
    (saved / name).write_bytes((saved / name).read_bytes()[:n_bytes])
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        read_bundle(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(saved: Path, name: str) -> None:
    """A missing file is named."""
    (saved / name).unlink()
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        read_bundle(saved)


@pytest.mark.parametrize("name", [".", "nowhere", "file"])
def test_no_bundle(tmp_path: Path, name: str) -> None:
    """A directory without a manifest, no directory, and a file are no bundles; the error says how to write one."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match=r"must be a bundle, a directory with manifest\.json\. .* deflect train"):
        read_bundle(tmp_path / name)


@pytest.mark.parametrize("number", [FORMAT_WITH_ENCODER + 1, 10**30, "2"])
def test_a_newer_format(saved: Path, number: object) -> None:
    """A bundle of a newer format is refused as such, whatever else is in it."""
    (saved / MANIFEST).write_text(json.dumps({"format": number, "matters": "new"}))
    with pytest.raises(BundleVersionError, match=rf"Got {number!r}\. Upgrade ticket-deflect"):
        read_bundle(saved)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\0", b"format = 1", b"{", b"[]", b"1", b'"format"', b"null", b"{}", b"\xff\xfe", b"[" * 100_000],
)
def test_a_manifest_that_is_none(saved: Path, raw: bytes) -> None:
    """A manifest that is no JSON, or no table with a format number, is refused."""
    (saved / MANIFEST).write_bytes(raw)
    with pytest.raises(BundleError, match=r"manifest\.json must be the JSON manifest of a bundle with a format number"):
        read_bundle(saved)


@pytest.mark.parametrize("key", ["categories", "parameters", "thresholds", "training_data", "metrics", "files"])
def test_a_missing_key(saved: Path, key: str) -> None:
    """A manifest that lacks a key is refused, and the key is named."""
    reseal(saved, lambda manifest: manifest.pop(key))
    with pytest.raises(BundleError, match=rf"manifest\.json .*It lacks {key}"):
        read_bundle(saved)


def test_an_unlisted_file(saved: Path) -> None:
    """A manifest that does not list one of the bundle's files is refused: the file would not be checked."""
    reseal(saved, lambda manifest: manifest["files"].pop("table.npy"))
    with pytest.raises(BundleError, match=r"It lacks table\.npy"):
        read_bundle(saved)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters", {}),
        ("parameters", {"sharpness": "many"}),
        ("thresholds", {}),
        ("thresholds", {"per": "category", "promises": [{"threshold": 0.5}]}),
        ("thresholds", []),
        ("training_data", []),
        ("categories", 2),
        ("files", [*FILES[:-1]]),
    ],
)
def test_a_wrong_value(saved: Path, key: str, value: object) -> None:
    """A manifest with a value of another kind is refused, even if its hash fits."""
    reseal(saved, lambda manifest: manifest.update({key: value}))
    with pytest.raises(BundleError, match=r"manifest\.json must hold what deflect writes"):
        read_bundle(saved)


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/hostname", "sub/inside.npy", "..", ""])
def test_a_file_name_with_a_path(saved: Path, name: str) -> None:
    """A manifest cannot name a file outside the bundle, even one whose hash fits."""
    outside = saved.parent / "outside.npy"
    outside.write_bytes(b"x")
    (saved / "sub").mkdir()
    (saved / "sub" / "inside.npy").write_bytes(b"x")
    reseal(saved, lambda manifest: manifest["files"].update({name: digest(b"x")}))
    with pytest.raises(BundleError, match="must have the file"):
        read_bundle(saved)


class Bomb:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("is_array", [True, False], ids=["object array", "bare pickle"])
def test_a_pickle(saved: Path, tmp_path: Path, *, is_array: bool) -> None:
    """An array file with a pickle in it is refused and not unpickled, even if its hash fits."""
    trace = tmp_path / "trace"
    if is_array:
        replace_array(saved, "table.npy", np.array([Bomb(trace)], dtype=object))
    else:
        (saved / "table.npy").write_bytes(pickle.dumps(Bomb(trace)))
        reseal(saved)
    with pytest.raises(BundleError, match=r"table\.npy must be a NumPy array without pickle"):
        read_bundle(saved)
    assert not trace.exists()


def test_an_archive(saved: Path) -> None:
    """A zip file in place of an array is refused, even if its hash fits."""
    with zipfile.ZipFile(saved / "table.npy", "w") as archive:
        archive.writestr("table.npy", b"x")
    reseal(saved)
    with pytest.raises(BundleError, match=r"table\.npy must be a NumPy array without pickle"):
        read_bundle(saved)


@pytest.mark.parametrize("n_bytes", [0, 8, 60, 140])
def test_an_array_that_is_cut(saved: Path, n_bytes: int) -> None:
    """An array file that ends too early is refused, even if its hash fits."""
    (saved / "table.npy").write_bytes((saved / "table.npy").read_bytes()[:n_bytes])
    reseal(saved)
    with pytest.raises(BundleError, match=r"table\.npy must be a NumPy array without pickle"):
        read_bundle(saved)


@pytest.mark.parametrize(
    ("name", "dtype", "wanted"),
    [("table.npy", np.float64, "float32"), ("slots.npy", np.int64, "uint64"), ("intercept.npy", np.uint8, "float32")],
)
def test_a_wrong_type(saved: Path, name: str, dtype: type, wanted: str) -> None:
    """An array of another type is refused; the error names the file and both types."""
    replace_array(saved, name, np.load(saved / name).astype(dtype))
    with pytest.raises(BundleError, match=rf"{name} must hold {wanted}\. Got {np.dtype(dtype)}"):
        read_bundle(saved)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("table.npy", (5, 4)), ("table.npy", (3,)), ("gram_table.npy", (5, 3)), ("intercept.npy", (3,))],
)
def test_a_wrong_shape(saved: Path, name: str, shape: tuple[int, ...]) -> None:
    """An array for another number of categories is refused."""
    replace_array(saved, name, np.zeros(shape, dtype=LAYOUT[name]))
    with pytest.raises(BundleError, match="must fit its 2 categories"):
        read_bundle(saved)


def test_an_empty_directory(bundle: Bundle, tmp_path: Path) -> None:
    """A bundle can be saved into an empty directory."""
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", bundle)
    assert read_bundle(tmp_path / "empty").metrics == METRICS


def test_missing_parents(bundle: Bundle, tmp_path: Path) -> None:
    """Directories above a bundle are made where they are missing."""
    write_bundle(tmp_path / "a" / "b", bundle)
    assert read_bundle(tmp_path / "a" / "b").metrics == METRICS


@pytest.mark.parametrize(
    "names",
    [
        ["notes.txt"],
        ["manifest.json", "index.html"],
        ["playbook.toml"],
        ["sub/manifest.json"],
        [*FILES, "notes.txt"],
    ],
    ids=" and ".join,
)
def test_a_directory_with_something_else(bundle: Bundle, tmp_path: Path, names: list[str]) -> None:
    """A directory that holds anything but a bundle is refused and left as it was, also where it has a manifest.json."""
    target = tmp_path / "mine"
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(name)
    before = contents(tmp_path)
    with pytest.raises(BundleError, match="must be a bundle, an empty directory or free"):
        write_bundle(target, bundle)
    assert contents(tmp_path) == before


def test_a_file_in_the_place(bundle: Bundle, tmp_path: Path) -> None:
    """A file where the bundle should go is refused and left as it was."""
    (tmp_path / "bundle").write_text("mine")
    with pytest.raises(BundleError, match="must be a bundle, an empty directory or free"):
        write_bundle(tmp_path / "bundle", bundle)
    assert (tmp_path / "bundle").read_text() == "mine"


def test_saving_over_a_bundle(bundle: Bundle, saved: Path) -> None:
    """A bundle is replaced by the one that is saved over it."""
    write_bundle(saved, Bundle(bundle.scorer, bundle.thresholds, bundle.playbook, "e" * 64))
    read = read_bundle(saved)
    assert (read.fingerprint, read.metrics) == ("e" * 64, {})
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


def test_saving_over_itself(bundle: Bundle, saved: Path) -> None:
    """A loaded bundle can be saved over the files that it is mapped from, and goes on working."""
    before, read = contents(saved), read_bundle(saved)
    write_bundle(saved, read)
    assert contents(saved) == before
    assert np.array_equal(read.scorer.probabilities(TICKETS), bundle.scorer.probabilities(TICKETS))


def test_a_save_that_fails(bundle: Bundle, saved: Path) -> None:
    """A save that fails midway leaves the old bundle as it was, and nothing beside it."""
    before = contents(saved.parent)
    broken = Bundle(bundle.scorer, bundle.thresholds, bundle.playbook, "", {"accuracy": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        write_bundle(saved, broken)
    assert contents(saved.parent) == before
    assert [path.name for path in saved.parent.iterdir()] == ["bundle"]


def test_a_bundle_that_cannot_take_its_place(bundle: Bundle, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save whose last step fails, the new bundle taking the old one's place, puts the old one back."""
    before = contents(saved.parent)
    rename = Path.rename

    def fail_for_the_new_one(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError("the disk is gone")  # noqa: EM101, TRY003  # A short text of the test's own.
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(OSError, match="the disk is gone"):
        write_bundle(saved, bundle)
    assert contents(saved.parent) == before
