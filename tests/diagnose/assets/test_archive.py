"""Reading archives: in every form, and those that were made to harm."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from deflect.diagnose import Diagnosis, diagnose_assets
from deflect.errors import DiagnosisError

MANIFEST = f"public/assets/.sprockets-manifest-{'a' * 32}.json"
APP = {"Gemfile": b"", MANIFEST: b'{"files": {}, "assets": {}}', "app/assets/a.css": b"old"}


def write_tar(path: Path, files: Mapping[str, bytes], mode: str = "w:gz") -> Path:
    """Write a tar archive."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # The mode is a variable.
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def checks(diagnosis: Diagnosis) -> list[str]:
    """Return the name of each finding."""
    return sorted(finding.check for finding in diagnosis.findings)


@pytest.mark.parametrize("form", ["app.tar", "app.tar.gz", "app.zip", "no_ending"])
@pytest.mark.parametrize("wrapper", ["", "./", "app-1.0/"])
def test_archive(tmp_path: Path, form: str, wrapper: str) -> None:
    """A committed build is found in each form, with the path that it has in the repository."""
    files = {wrapper + name: content for name, content in APP.items()}
    path = tmp_path / form
    diagnosis = diagnose_assets(
        write_zip(path, files) if "zip" in form else write_tar(path, files, "w" if form == "app.tar" else "w:gz")
    )
    (finding,) = diagnosis.findings
    assert finding.check == "manifest.tracked"
    assert finding.evidence.startswith(f"{MANIFEST} (Sprockets 3 or 4) is in the archive")
    assert "sources.newer" in dict(diagnosis.skipped)


def test_archive_of_a_folder_of_a_build(tmp_path: Path) -> None:
    """The one folder of an archive is not taken for a wrapper where it is part of the build's path."""
    (finding,) = diagnose_assets(write_zip(tmp_path / "app.zip", {MANIFEST: APP[MANIFEST]})).findings
    assert finding.evidence.startswith(MANIFEST)


def test_archive_without_a_build(tmp_path: Path) -> None:
    """An archive without a committed build is fine."""
    files = {name: content for name, content in APP.items() if name != MANIFEST}
    assert diagnose_assets(write_tar(tmp_path / "app.tgz", files)).findings == ()


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_archive_of_a_checkout(repository, tmp_path: Path, form: str) -> None:
    """An archive with its .git folder is read like the checkout: what git ignores is fine, what is old is named."""
    ignored = {"public/packs/manifest.json": '{"a.js": "/packs/a-1a2b3c4d.js"}'}
    repository.commit({name: content.decode() for name, content in APP.items()} | {".gitignore": "public/packs\n"})
    repository.commit({"app/assets/a.css": "new"})
    repository.write(ignored)
    names = [path for path in sorted(repository.path.rglob("*")) if path.is_file()]
    files = {f"app/{path.relative_to(repository.path)}": path.read_bytes() for path in names}
    path = tmp_path / f"app.{form}"
    diagnosis = diagnose_assets(write_zip(path, files) if form == "zip" else write_tar(path, files))
    assert checks(diagnosis) == ["manifest.tracked", "sources.newer"]


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_export_of_git(repository, tmp_path: Path, form: str) -> None:
    """What git itself packed is tracked, also where .gitignore names it."""
    repository.commit({name: content.decode() for name, content in APP.items()})
    repository.commit({".gitignore": "public/assets\n"})
    path = tmp_path / f"app.{form}"
    repository.git("archive", "--prefix=app/", f"--output={path}", "HEAD")
    assert checks(diagnose_assets(path)) == ["manifest.tracked"]


def test_archive_with_an_ignored_build(tmp_path: Path) -> None:
    """In an archive that somebody packed by hand, a build that .gitignore names is only mentioned."""
    diagnosis = diagnose_assets(write_zip(tmp_path / "app.zip", APP | {".gitignore": b"/public/assets/\n"}))
    assert diagnosis.is_fine
    assert checks(diagnosis) == ["manifest.ignored"]


@pytest.mark.parametrize("name", ["/etc/x/", "../../", "a/../../", "//x/"])
@pytest.mark.parametrize("form", ["app.tar.gz", "app.zip"])
def test_names_that_lead_out(tmp_path: Path, form: str, name: str) -> None:
    """Names that lead out of the archive are passed over, which is said."""
    files = {"Gemfile": b"", name + MANIFEST: APP[MANIFEST], f"{name}.git/index": b"DIRC"}
    diagnosis = diagnose_assets((write_zip if "zip" in form else write_tar)(tmp_path / form, files))
    assert diagnosis.findings == ()
    assert "2 names lead out of the archive" in dict(diagnosis.skipped)["archive"]


def test_git_folder_that_leads_out(tmp_path: Path) -> None:
    """A name below .git cannot lead out of the folder that git's data is unpacked to."""
    files = APP | {".git/HEAD": b"x", ".git/index": b"x", ".git/objects/../../../escaped": b"x"}
    with pytest.raises(DiagnosisError, match="that git can read"):
        diagnose_assets(write_tar(tmp_path / "app.tgz", files))
    assert list(tmp_path.rglob("escaped")) == []


def test_links_in_a_tar(tmp_path: Path) -> None:
    """A link in an archive is a name, and leads nowhere."""
    path = tmp_path / "app.tar"
    with tarfile.open(path, "w") as archive:
        for name, target in ((MANIFEST, "/etc/passwd"), ("Gemfile", "../../Gemfile")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    assert checks(diagnose_assets(path)) == ["manifest.tracked"]


def write_bomb(path: Path, n_bytes: int) -> Path:
    """Write a tar.gz whose one file claims 40 GB, and has so many zeros."""
    info = tarfile.TarInfo("big")
    info.size = 40_000_000_000
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(n_bytes // 1_000_000):
            file.write(b"\0" * 1_000_000)
    return path


def test_bomb_in_a_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that unpacks to more than a limit is refused when the limit is reached."""
    monkeypatch.setattr("deflect.diagnose.assets.archive._MAX_UNPACKED_BYTES", 100_000_000)
    with pytest.raises(DiagnosisError, match="unpacks to more than"):
        diagnose_assets(write_bomb(tmp_path / "bomb.tar.gz", 150_000_000))


def test_bomb_that_is_cut(tmp_path: Path) -> None:
    """An archive that claims more than it has is refused when it ends."""
    with pytest.raises(DiagnosisError, match="must be an archive that can be read"):
        diagnose_assets(write_bomb(tmp_path / "bomb.tar.gz", 50_000_000))


def test_archive_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that takes longer than a limit is refused."""
    monkeypatch.setattr("deflect.diagnose.assets.archive._MAX_SECONDS", -1.0)
    with pytest.raises(DiagnosisError, match="takes longer than"):
        diagnose_assets(write_tar(tmp_path / "app.tar.gz", APP))


def test_bomb_in_a_zip(tmp_path: Path) -> None:
    """A manifest that unpacks to a gigabyte is read up to a limit, and said to be too large."""
    diagnosis = diagnose_assets(write_zip(tmp_path / "app.zip", APP | {MANIFEST: b"\0" * 50_000_000}))
    assert checks(diagnosis) == ["manifest.tracked"]
    assert "larger than 8 MB" in dict(diagnosis.skipped)["manifest.damaged"]


def test_long_header_in_a_tar(tmp_path: Path) -> None:
    """A tar whose header claims a name of a gigabyte is refused before memory is taken for it."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1_000_000_000
    (tmp_path / "app.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"a" * 10_000)
    with pytest.raises(DiagnosisError, match=r"a piece of 1,000,000,\d+ bytes"):
        diagnose_assets(tmp_path / "app.tar")


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"\0" * 257 + b"ustar"])
@pytest.mark.parametrize("rest", [b"", b"\0" * 2_000, b"x" * 2_000, os.urandom(2_000)])
def test_damaged_archive(tmp_path: Path, head: bytes, rest: bytes) -> None:
    """What begins like an archive and is none is refused with a clear word."""
    (tmp_path / "app").write_bytes(head + rest)
    with pytest.raises(DiagnosisError, match="PATH must"):
        diagnose_assets(tmp_path / "app")


@pytest.mark.parametrize("form", ["app.tar.gz", "app.zip"])
def test_cut_archive(tmp_path: Path, form: str) -> None:
    """An archive that was cut short is refused."""
    whole = (write_zip if "zip" in form else write_tar)(
        tmp_path / form, APP | {"noise": os.urandom(9_000)}
    ).read_bytes()
    (tmp_path / form).write_bytes(whole[:-5_000])
    with pytest.raises(DiagnosisError, match="must be an archive that can be read"):
        diagnose_assets(tmp_path / form)


def test_encrypted_zip(tmp_path: Path) -> None:
    """A zip that wants a password is refused."""
    path = write_zip(tmp_path / "app.zip", {MANIFEST: b"{}"})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # The flag of the local header,
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # and that of the list of files.
    path.write_bytes(raw)
    with pytest.raises(DiagnosisError, match="password"):
        diagnose_assets(path)


@pytest.mark.parametrize("form", ["app.tar.gz", "app.zip"])
def test_archive_without_files(tmp_path: Path, form: str) -> None:
    """An empty archive is not said to be fine."""
    with pytest.raises(DiagnosisError, match="must have files"):
        diagnose_assets((write_zip if "zip" in form else write_tar)(tmp_path / form, {}))
