"""Folders without git, listings in every form, and what is neither."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose import Diagnosis, diagnose_assets
from deflect.diagnose.assets.listing import read_listing_tree
from deflect.errors import DiagnosisError

MANIFEST = f"public/assets/.sprockets-manifest-{'a' * 32}.json"
NAMES = ("Gemfile", "app/assets/a.css", MANIFEST)


def write(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Write files of no content."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def checks(diagnosis: Diagnosis) -> list[str]:
    """Return the name of each finding."""
    return sorted(finding.check for finding in diagnosis.findings)


def test_folder(tmp_path: Path) -> None:
    """In a folder without git, what is there is taken as committed, and the missing history is said."""
    diagnosis = diagnose_assets(write(tmp_path))
    assert checks(diagnosis) == ["manifest.tracked"]
    assert "no .git folder" in dict(diagnosis.skipped)["sources.newer"]
    assert "sources.newer" not in diagnosis.checked


@pytest.mark.parametrize(
    "line", ["/public/assets", "public/assets/", "assets", "*.json", ".sprockets-*", "**/assets/**"]
)
def test_folder_with_an_ignored_build(tmp_path: Path, line: str) -> None:
    """In a folder without git, a build that .gitignore names is as it should be."""
    (write(tmp_path) / ".gitignore").write_text(f"{line}\n")
    diagnosis = diagnose_assets(tmp_path)
    assert diagnosis.is_fine
    assert checks(diagnosis) == ["manifest.ignored"]


def test_folder_where_git_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the git program a folder is looked at all the same; that .gitignore was not read is said."""
    (write(tmp_path) / ".gitignore").write_text("/public/assets\n")
    monkeypatch.setenv("PATH", "/nowhere")
    diagnosis = diagnose_assets(tmp_path)
    assert checks(diagnosis) == ["manifest.tracked"]
    assert "git must be installed" in dict(diagnosis.skipped)["manifest.tracked"]


def test_folder_with_an_ignore_file_deeper_down(tmp_path: Path) -> None:
    """Each folder's own .gitignore counts, and a later line takes an earlier one back."""
    (write(tmp_path) / ".gitignore").write_text("public/assets/*\n!public/assets/.sprockets*\n")
    assert checks(diagnose_assets(tmp_path)) == ["manifest.tracked"]
    (tmp_path / "public" / ".gitignore").write_text("/assets\n")
    assert checks(diagnose_assets(tmp_path)) == ["manifest.ignored"]


def test_hostile_ignore_file(tmp_path: Path) -> None:
    """An ignore file that is made to be matched forever is given up, which is said."""
    deep = "a" * 200
    write(tmp_path, (f"{deep}/{MANIFEST}",))
    (tmp_path / ".gitignore").write_text(("*a" * 60 + "b\n") * 20)
    diagnosis = diagnose_assets(tmp_path)
    assert checks(diagnosis) == ["manifest.tracked"]
    assert "whether .gitignore names a file" in dict(diagnosis.skipped)["manifest.tracked"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither a link to a folder nor one to a file is followed, in a circle or out of the tree."""
    write(tmp_path / "elsewhere")
    app = tmp_path / "app"
    (app / "public").mkdir(parents=True)
    (app / "Gemfile").write_text("")
    (app / "public" / "assets").symlink_to(tmp_path / "elsewhere" / "public" / "assets")
    (app / "circle").symlink_to(app)
    (app / "app").symlink_to("..")
    assert checks(diagnose_assets(app)) == []


def test_manifest_that_is_a_link(tmp_path: Path) -> None:
    """A manifest that is a link is named, and what it leads to is not read."""
    write(tmp_path / "app", ("Gemfile", "public/assets/x"))
    (tmp_path / "secret").write_text("not JSON")
    (tmp_path / "app" / MANIFEST).symlink_to(tmp_path / "secret")
    diagnosis = diagnose_assets(tmp_path / "app")
    assert checks(diagnosis) == ["manifest.tracked"]
    assert "behind a link" in dict(diagnosis.skipped)["manifest.damaged"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_manifest_that_is_a_pipe(tmp_path: Path) -> None:
    """A manifest that is a pipe is named, and not waited for."""
    write(tmp_path, ("Gemfile", "public/assets/x"))
    os.mkfifo(tmp_path / MANIFEST)
    assert checks(diagnose_assets(tmp_path)) == ["manifest.tracked"]


def test_huge_manifest(tmp_path: Path) -> None:
    """A manifest of 9 MB is named, and not read."""
    (write(tmp_path) / MANIFEST).write_bytes(b"[" * 9_000_000)
    diagnosis = diagnose_assets(tmp_path)
    assert checks(diagnosis) == ["manifest.tracked"]
    assert "larger than 8 MB" in dict(diagnosis.skipped)["manifest.damaged"]


def test_deep_folders(tmp_path: Path) -> None:
    """Folders within folders, deeper than a path can be long or a program may call itself, harm nothing."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("abcd", dir_fd=descriptor)
        deeper = os.open("abcd", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = deeper
    os.close(descriptor)
    write(tmp_path)
    try:
        assert checks(diagnose_assets(tmp_path)) == ["manifest.tracked"]
    finally:  # pytest itself cannot remove what is so deep.
        subprocess.run(["/bin/rm", "-r", str(tmp_path / "abcd")], check=True)


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without files is not said to be fine."""
    with pytest.raises(DiagnosisError, match="it has no files"):
        diagnose_assets(tmp_path)


@pytest.mark.parametrize(
    "raw",
    [
        "\n".join(NAMES).encode(),
        "\r\n".join(NAMES).encode(),
        "\0".join(NAMES).encode() + b"\0",
        ("\ufeff" + "\r\n".join(NAMES)).encode("utf-16-le"),
        ("\ufeff" + "\n".join(NAMES)).encode(),
        "\n".join(f"./{name}" for name in NAMES).encode(),
        "\n".join(f"100644 {'0' * 40} 0\t{name}" for name in NAMES).encode(),
        "\n".join(f"100644 blob {'0' * 64}\t{name}" for name in NAMES).encode(),
        "\n".join(f'"{name}"' for name in NAMES).encode(),
    ],
    ids=["lines", "crlf", "zeros", "utf-16", "bom", "dots", "stage", "tree", "quoted"],
)
def test_listing(tmp_path: Path, raw: bytes) -> None:
    """A listing is read in each form that git and shells write."""
    (tmp_path / "listing").write_bytes(raw)
    diagnosis = diagnose_assets(tmp_path / "listing")
    (finding,) = diagnosis.findings
    assert finding.evidence.startswith(f"{MANIFEST} (Sprockets 3 or 4) is tracked in git")
    assert {"sources.newer", "asset.missing"} <= dict(diagnosis.skipped).keys()


def test_listing_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash reads the listing from standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(NAMES).encode())))
    assert checks(diagnose_assets("-")) == ["manifest.tracked"]


def test_listing_of_doubtful_names(tmp_path: Path) -> None:
    """Without contents, a name that proves nothing is judged by the app around it and the digests beside it."""
    doubtful = ["public/build/manifest.json", "public/build/assets/app-B1x9Qz_2.js"]
    (tmp_path / "listing").write_text("\n".join(doubtful))
    assert diagnose_assets(tmp_path / "listing").findings == ()
    (tmp_path / "listing").write_text("\n".join([*doubtful, "artisan"]))
    (finding,) = diagnose_assets(tmp_path / "listing").findings
    assert finding.summary.startswith("Laravel with Vite")
    (tmp_path / "listing").write_text("\n".join([*doubtful, "symfony.lock"]))
    (finding,) = diagnose_assets(tmp_path / "listing").findings
    assert finding.summary.startswith("Symfony Encore")


def test_listing_of_quoted_names() -> None:
    """Names that git has quoted are read as they are."""
    tree = read_listing_tree(b'"b\\303\\274cher/\\"x\\".css"\n"tab\\there"\nplain name\n', "listing")
    assert tree.paths == ('b\u00fccher/"x".css', "plain name", "tab\there")


ROUTER = b"2026-11-23T08:00:00Z heroku[router]: at=info method=GET path=/ host=a status=200\n"
LONG = b"-rw-r--r-- 1 ann staff 120 Nov 23 08:00 public/assets/manifest.yml\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        b"\0\0\0",
        os.urandom(5_000),
        b'{"files": {}}',
        b"<html>",
        b"a" * 5_000,
        b"\x01\x02\n\x03",
        ROUTER,
        LONG,
    ],
)
def test_what_is_no_listing(tmp_path: Path, raw: bytes) -> None:
    """A file that is no listing is refused, with what is accepted."""
    (tmp_path / "listing").write_bytes(raw)
    with pytest.raises(DiagnosisError, match=r"must be a checkout, a tar, tar\.gz or zip archive, or the output"):
        diagnose_assets(tmp_path / "listing")


@pytest.mark.parametrize("path", ["/nowhere/at/all", "a\0b", "x" * 300, "/dev/null"])
def test_what_cannot_be_read(path: str) -> None:
    """A path that leads to nothing is an error that names it, without a control character."""
    with pytest.raises(DiagnosisError, match="PATH must be a folder or") as caught:
        diagnose_assets(path)
    assert str(caught.value).isprintable()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_listing_or_an_error(raw: bytes) -> None:
    """Whatever bytes a listing has, it is read or refused."""
    try:
        tree = read_listing_tree(raw, "listing")
    except DiagnosisError:
        return
    assert list(tree.paths) == sorted(set(tree.paths))
    assert all(not path.startswith("/") and ".." not in path.split("/") for path in tree.paths)
