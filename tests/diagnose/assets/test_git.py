"""Reading git folders that strangers made: nothing of theirs runs, nothing leads out."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deflect.diagnose import diagnose_assets
from deflect.diagnose.assets.git import GitError
from deflect.errors import DiagnosisError

MANIFEST = f"public/assets/.sprockets-manifest-{'a' * 32}.json"
APP = {"Gemfile": "", MANIFEST: '{"files": {}, "assets": {}}', "app/assets/a.css": "old"}


def checks(path: Path) -> list[str]:
    """Return the name of each finding."""
    return sorted(finding.check for finding in diagnose_assets(path).findings)


def test_nothing_of_the_repository_runs(repository, tmp_path: Path) -> None:
    """Neither configuration nor hooks nor attributes of a hostile repository start a program."""
    mark = tmp_path / "ran"
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat\n")
    trap.chmod(0o755)
    repository.commit(APP | {".gitattributes": "* diff=trap filter=trap\n"})
    repository.commit({"app/assets/a.css": "new"})
    settings = ("core.fsmonitor", "core.pager", "pager.log", "core.sshCommand", "core.editor", "gpg.program")
    for setting in (*settings, "diff.external", "diff.trap.textconv", "filter.trap.clean", "filter.trap.smudge"):
        repository.git("config", setting, str(trap))
    for setting, value in (("alias.log", f"!{trap}"), ("alias.ls-files", f"!{trap}"), ("log.showSignature", "true")):
        repository.git("config", setting, value)
    repository.git("config", "core.hooksPath", str(tmp_path))
    for hook in ("post-index-change", "fsmonitor-watchman"):
        shutil.copy(trap, tmp_path / hook)
        shutil.copy(trap, repository.path / ".git" / "hooks" / hook)
    mark.unlink(missing_ok=True)
    assert checks(repository.path) == ["manifest.tracked", "sources.newer"]
    assert not mark.exists()
    repository.git("status")
    assert mark.exists(), "the trap must be one: git by itself falls into it"


@pytest.mark.parametrize("config", ["[core", "\0\0", "[include]\n\tpath = /dev/zero\n"])
def test_damaged_configuration(repository, config: str) -> None:
    """The repository's configuration is not even read."""
    repository.commit(APP)
    (repository.path / ".git" / "config").write_text(config)
    assert checks(repository.path) == ["manifest.tracked"]


def test_environment_of_the_caller(repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of git that the caller has set lead nowhere else."""
    repository.commit(APP)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert checks(repository.path) == ["manifest.tracked"]


def test_nothing_is_written(repository) -> None:
    """Looking leaves the repository as it was, byte for byte and to the nanosecond."""
    repository.commit(APP)

    def state() -> dict[str, tuple[int, int]]:
        paths = sorted(repository.path.rglob("*"))
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}

    before = state()
    checks(repository.path)
    assert state() == before


def test_staged_file_is_tracked(repository) -> None:
    """What is staged is tracked, before there is any commit."""
    repository.write(APP)
    repository.git("add", "--all")
    assert checks(repository.path) == ["manifest.tracked"]


def test_removed_from_the_index(repository) -> None:
    """A manifest that was taken out of the index is no longer tracked, though it is in the last commit."""
    repository.commit(APP)
    repository.git("rm", "--quiet", "--cached", MANIFEST)
    assert checks(repository.path) == []


def test_tracked_although_ignored(repository) -> None:
    """A tracked manifest stays a finding when .gitignore names it, and the evidence says why that does not help."""
    repository.commit(APP)
    repository.commit({".gitignore": "public/assets\n"})
    (finding,) = diagnose_assets(repository.path).findings
    assert ".gitignore names it, which changes nothing" in finding.evidence
    assert ">> .gitignore" not in finding.fix


def test_manifest_deleted_from_the_working_tree(repository) -> None:
    """A manifest that git tracks and the working tree lacks is still tracked."""
    repository.commit(APP)
    (repository.path / MANIFEST).unlink()
    assert checks(repository.path) == ["manifest.tracked"]


def test_without_an_index(repository) -> None:
    """Where there is no index, the last commit says what is tracked."""
    repository.commit(APP)
    (repository.path / ".git" / "index").unlink()
    assert checks(repository.path) == ["manifest.tracked"]


def test_packed_references_and_objects(repository) -> None:
    """A repository that git has packed is read like any other."""
    repository.commit(APP)
    repository.commit({"app/assets/a.css": "new"})
    repository.git("gc", "--quiet")
    assert not (repository.path / ".git" / "refs" / "heads" / "main").exists()
    assert checks(repository.path) == ["manifest.tracked", "sources.newer"]


def test_detached_head(repository) -> None:
    """A checkout of no branch is read like any other."""
    repository.commit(APP)
    repository.commit({"app/assets/a.css": "new"})
    repository.git("checkout", "--quiet", "--detach")
    assert checks(repository.path) == ["manifest.tracked", "sources.newer"]


def test_shallow_clone(repository, tmp_path: Path) -> None:
    """In a clone of the last commit alone, everything is of one age: nothing is said to be old."""
    repository.commit(APP)
    repository.commit({"app/assets/a.css": "new"})
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(tmp_path / "clone"))
    assert checks(tmp_path / "clone") == ["manifest.tracked"]


def test_sources_of_a_merged_branch(repository) -> None:
    """A change that a merge brought in after the build is newer than the build, whatever day it was written."""
    repository.commit({"Gemfile": "", "app/assets/a.css": "old"})
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit({"app/assets/a.css": "new"})
    repository.git("checkout", "--quiet", "main")
    repository.commit(APP)
    assert checks(repository.path) == ["manifest.tracked"]
    repository.git("merge", "--quiet", "--no-edit", "side")
    assert checks(repository.path) == ["manifest.tracked", "sources.newer"]


def test_sha256_repository(repository) -> None:
    """A repository with the longer object names is read like any other."""
    shutil.rmtree(repository.path / ".git")
    repository.git("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    repository.commit(APP)
    repository.commit({"app/assets/a.css": "new"})
    assert checks(repository.path) == ["manifest.tracked", "sources.newer"]


def test_split_index(repository) -> None:
    """An index in two files is read."""
    repository.commit(APP)
    repository.git("update-index", "--split-index")
    assert checks(repository.path) == ["manifest.tracked"]


def test_objects_of_another_repository(repository, tmp_path: Path) -> None:
    """A repository that borrows objects from elsewhere has no history here: nothing outside is read."""
    repository.commit(APP)
    repository.git("clone", "--quiet", "--shared", str(repository.path), str(tmp_path / "clone"))
    diagnosis = diagnose_assets(tmp_path / "clone")
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]
    assert "its objects lie elsewhere" in dict(diagnosis.skipped)["sources.newer"]


@pytest.mark.parametrize("part", ["objects", "index", "refs"])
def test_links_in_the_git_folder(repository, tmp_path: Path, part: str) -> None:
    """A link inside of .git is not followed: a clear word, or no history."""
    repository.commit(APP)
    shutil.move(repository.path / ".git" / part, tmp_path / part)
    (repository.path / ".git" / part).symlink_to(tmp_path / part)
    try:
        diagnosis = diagnose_assets(repository.path)
    except DiagnosisError as error:
        assert part == "index"
        assert "its index is a link" in str(error)  # noqa: PT017  # Which of the two outcomes comes is the fact.
    else:
        assert "sources.newer" in dict(diagnosis.skipped)


def test_worktree(repository, tmp_path: Path) -> None:
    """A worktree's .git leads out of it: it is read as a folder, and the reason is given."""
    repository.commit(APP)
    repository.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    diagnosis = diagnose_assets(tmp_path / "tree")
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]
    assert "not followed" in dict(diagnosis.skipped)["sources.newer"]


@pytest.mark.parametrize("damage", [b"", b"DIRC", b"\0" * 4_096, os.urandom(4_096)])
def test_damaged_index(repository, damage: bytes) -> None:
    """A damaged index is an error that says what to do, or tracks nothing; never a crash."""
    repository.commit(APP)
    (repository.path / ".git" / "index").write_bytes(damage)
    with pytest.raises(DiagnosisError, match=r"git ls-files|tracks no file"):
        diagnose_assets(repository.path)


@pytest.mark.parametrize(
    "head", ["", "ref: ../../etc/passwd\n", "ref: refs/heads/../../x\n", "\0", "ref: refs/heads/none\n"]
)
def test_damaged_head(repository, head: str) -> None:
    """A HEAD that names no commit costs the history, not the diagnosis."""
    repository.commit(APP)
    (repository.path / ".git" / "HEAD").write_text(head)
    diagnosis = diagnose_assets(repository.path)
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]
    assert "sources.newer" in dict(diagnosis.skipped)


def test_missing_objects(repository) -> None:
    """A history with holes costs the history, not the diagnosis."""
    repository.commit(APP)
    for folder in (repository.path / ".git" / "objects").glob("??"):
        shutil.rmtree(folder)
    diagnosis = diagnose_assets(repository.path)
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]
    assert "sources.newer" in dict(diagnosis.skipped)
    assert "sources.newer" not in diagnosis.checked


def test_bare_repository(repository, tmp_path: Path) -> None:
    """A bare repository has no files to look at, which is said."""
    repository.commit(APP)
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(tmp_path / "bare.git"))
    with pytest.raises(DiagnosisError, match="bare repository"):
        diagnose_assets(tmp_path / "bare.git")


def test_empty_repository(repository) -> None:
    """A repository in which nothing is tracked yet is not said to be fine."""
    with pytest.raises(DiagnosisError, match="tracks no file"):
        diagnose_assets(repository.path)


def test_without_git(repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the git program a checkout cannot be looked at; the error says what can be."""
    repository.commit(APP)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DiagnosisError, match="hand over the output of `git ls-files`"):
        diagnose_assets(repository.path)


def test_names_of_every_kind(repository) -> None:
    """Names with spaces, newlines, quotes, dashes and broken UTF-8 are shown escaped, and quoted in commands."""
    root = b"it's \xff\n-x"
    os.mkdir(os.path.join(os.fsencode(repository.path), root))  # noqa: PTH102, PTH118  # pathlib takes no bytes.
    top = repository.path / os.fsdecode(root)
    for name, content in APP.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(content)
    repository.commit()
    diagnosis = diagnose_assets(repository.path)
    (finding,) = diagnosis.findings
    assert finding.evidence.isprintable()
    (command,) = [line for line in finding.fix.splitlines() if line.startswith("git rm")]
    subprocess.run(["/bin/bash", "-c", command], cwd=repository.path, check=True, capture_output=True)
    assert diagnose_assets(repository.path).findings == ()


def test_many_sources(repository) -> None:
    """Hundreds of source folders with long names are asked about at once."""
    folder = "d" * 200
    files = {f"{folder}/{i:03}{folder}/{folder}/{folder}/static/a.css": "a" for i in range(400)}
    manifest = '{"paths": {"a.css": "a.1a2b3c4d5e6f.css"}}'
    repository.commit({"manage.py": "", "root/staticfiles.json": manifest, "root/a.1a2b3c4d5e6f.css": "", **files})
    diagnosis = diagnose_assets(repository.path)
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]


def test_history_that_takes_too_long(repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the history takes longer than a limit, the rest is still said."""
    repository.commit(APP)
    monkeypatch.setattr("deflect.diagnose.assets.git.GitFolder.last_change", _too_long)
    diagnosis = diagnose_assets(repository.path)
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]
    assert dict(diagnosis.skipped)["sources.newer"] == "the history of .git cannot be read: too long"


def _too_long(*_words: object) -> None:
    message = "too long"
    raise GitError(message)


def test_many_files(repository) -> None:
    """200,000 tracked files are looked through; the one manifest among them is found."""
    repository.write({"a.css": "a"})
    blob = repository.git("hash-object", "-w", "a.css").strip()
    names = [f"app/assets/d{i % 500}/f{i}.css" for i in range(200_000)]
    lines = "".join(f"100644 {blob}\t{name}\n" for name in [*names, "Gemfile", MANIFEST])
    command = ["git", "update-index", "--index-info"]
    subprocess.run(command, cwd=repository.path, input=lines.encode(), check=True)
    assert checks(repository.path) == ["manifest.tracked"]
