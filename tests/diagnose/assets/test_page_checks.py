"""What a production page and a build log add."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deflect.diagnose import Diagnosis, diagnose_assets
from deflect.errors import DiagnosisError

OLD, NEW, OTHER = "a1" * 32, "b2" * 32, "c3" * 32
MANIFEST = json.dumps(
    {
        "files": {f"application-{OLD}.css": {"mtime": "2023"}, f"application-{NEW}.css": {"mtime": "2024"}},
        "assets": {"application.css": f"application-{NEW}.css"},
    }
)
LOG = """\
remote: -----> Preparing app for Rails asset pipeline
remote:        Running: rake assets:precompile
remote:        I, [2024-01-02T03:04:05.678901 #9]  INFO -- : Writing /tmp/build/public/assets/application-{}.css
"""


def diagnose(folder: Path, *, page: str | None = None, log: str | None = None, is_committed: bool = True) -> Diagnosis:
    """Diagnose a Rails app, which is a folder without git, with a page and a log."""
    app = folder / "app"
    (app / "public" / "assets").mkdir(parents=True)
    (app / "Gemfile").write_text("")
    if is_committed:
        (app / "public" / "assets" / f".sprockets-manifest-{'0' * 32}.json").write_text(MANIFEST)
        (app / "public" / "assets" / f"application-{NEW}.css").write_text("")
    paths: dict[str, Path | None] = {"html": None, "build_log": None}
    for name, text in (("html", page), ("build_log", log)):
        if text is not None:
            paths[name] = folder / name
            (folder / name).write_text(text)
    return diagnose_assets(app, **paths)


def checks(diagnosis: Diagnosis) -> list[str]:
    """Return the name of each finding but the commit itself."""
    return [finding.check for finding in diagnosis.findings if finding.check != "manifest.tracked"]


def page(digest: str) -> str:
    """Return a page with a style sheet of a version."""
    return f'<link rel=stylesheet href="https://cdn.example/assets/application-{digest}.css?x=1"><img src="/logo.png">'


def test_page_that_serves_the_committed_build(tmp_path: Path) -> None:
    """A page that names what the manifest lists is said to do so, as no problem of its own."""
    assert checks(diagnose(tmp_path, page=page(NEW))) == ["html.same"]


def test_page_with_an_older_version(tmp_path: Path) -> None:
    """A page that names a version of an earlier build is older, and the other causes are named as notices."""
    diagnosis = diagnose(tmp_path, page=page(OLD))
    assert checks(diagnosis) == ["html.older_digest", "cause.promotion", "cause.cache"]
    severities = {finding.check: finding.severity for finding in diagnosis.findings}
    assert severities["html.older_digest"] == "warning"
    assert severities["cause.promotion"] == severities["cause.cache"] == "notice"


def test_page_with_an_unknown_version(tmp_path: Path) -> None:
    """A page that names a version that the manifest does not list is of another commit."""
    diagnosis = diagnose(tmp_path, page=page(OTHER))
    assert checks(diagnosis) == ["html.absent_digest", "cause.promotion", "cause.cache"]
    assert any(f"application-{OTHER}.css" in finding.evidence for finding in diagnosis.findings)


def test_page_of_nothing_known(tmp_path: Path) -> None:
    """A page whose files nothing lists cannot be compared, which is said."""
    diagnosis = diagnose(tmp_path, page='<script src="/other-1a2b3c4d.js">')
    assert checks(diagnosis) == []
    assert "html.absent_digest" in dict(diagnosis.skipped)
    assert "html.absent_digest" not in diagnosis.checked


def test_page_without_evidence_accuses_nothing(tmp_path: Path) -> None:
    """Where no build is committed and there is no log, neither promotion nor cache is suspected."""
    assert diagnose(tmp_path, page=page(OLD), is_committed=False).findings == ()


def test_page_of_another_build_than_the_log(tmp_path: Path) -> None:
    """A page of other files than the build wrote is not that build's; promotion and caches are to be ruled out."""
    diagnosis = diagnose(tmp_path, page=page(OLD), log=LOG.format(NEW), is_committed=False)
    assert checks(diagnosis) == ["html.other_build", "cause.promotion", "cause.cache"]


def test_page_of_the_build_in_the_log(tmp_path: Path) -> None:
    """A page that names what the build wrote leaves only caches to explain old files."""
    diagnosis = diagnose(tmp_path, page=page(NEW), log=LOG.format(NEW), is_committed=False)
    assert diagnosis.is_fine
    assert checks(diagnosis) == ["cause.cache"]


@pytest.mark.parametrize(
    "line",
    [
        "       Detected manifest file, assuming assets were compiled locally",
        "remote:        Detected manifest.yml, assuming assets were compiled locally",
        "\x1b[33mremote: \x1b[0m Detected assets manifest file, assuming assets were compiled locally",
    ],
)
def test_log_that_took_assets_as_compiled(tmp_path: Path, line: str) -> None:
    """The build pack's line is found in each of its wordings, in colours and behind prefixes."""
    diagnosis = diagnose(tmp_path, log=f"-----> Ruby app\n{line}\n-----> Done\n")
    assert checks(diagnosis) == ["log.compiled_locally"]
    assert "no such manifest is here" not in diagnosis.findings[-1].evidence


def test_log_without_a_manifest_here(tmp_path: Path) -> None:
    """Where the code has no manifest, the log's line points to another commit or an earlier step."""
    log = "Detected manifest file, assuming assets were compiled locally\n"
    (finding,) = diagnose(tmp_path, log=log, is_committed=False).findings
    assert (finding.check, finding.severity) == ("log.compiled_locally", "error")
    assert "no such manifest is here" in finding.evidence


def test_log_of_django(tmp_path: Path) -> None:
    """A build that was told not to collect static files is named, with the command that mends it."""
    log = "-----> Skipping Django collectstatic since the env var DISABLE_COLLECTSTATIC is set.\n"
    (finding,) = diagnose(tmp_path, log=log, is_committed=False).findings
    assert finding.check == "log.collectstatic_off"
    assert finding.fix.startswith("heroku config:unset DISABLE_COLLECTSTATIC")


def test_log_of_a_good_build(tmp_path: Path) -> None:
    """A log of a build that compiled is no finding."""
    diagnosis = diagnose(tmp_path, log=LOG.format(NEW), is_committed=False)
    assert diagnosis.findings == ()
    assert "log.compiled_locally" in diagnosis.checked


def test_hostile_page(tmp_path: Path) -> None:
    """A page of one endless line and control characters is read in passing, and reaches no terminal raw."""
    text = "<" * 1_000_000 + "a-" * 1_000_000 + "\x1b]0;title\x07" + "\0" * 1_000 + page(OTHER)
    diagnosis = diagnose(tmp_path, page=text)
    assert "html.absent_digest" in checks(diagnosis)
    assert all(finding.evidence.replace("\n", "").isprintable() for finding in diagnosis.findings)


def test_page_that_is_not_there(tmp_path: Path) -> None:
    """A page that cannot be read is an error that names it."""
    with pytest.raises(DiagnosisError, match=r"must be a file that can be read. Got .*nowhere\.html"):
        diagnose_assets(tmp_path, html=tmp_path / "nowhere.html")


def test_page_that_is_a_folder(tmp_path: Path) -> None:
    """A page must be a file."""
    with pytest.raises(DiagnosisError, match="must be a file"):
        diagnose_assets(tmp_path, html=tmp_path)
