"""When the build pack skips, which manifest wins, and settings that people misunderstand."""

from __future__ import annotations

import json

import pytest

from deflect.diagnose import Diagnosis
from deflect.diagnose.assets.diagnosis import diagnose_tree
from deflect.diagnose.assets.stacks import asset_rules
from deflect.diagnose.assets.tree import Tree

A, B = "a" * 32, "b" * 32
CSS = f"application-{A}{A}.css"
MANIFEST = json.dumps({"files": {}, "assets": {"application.css": CSS}})
RAILS = {"Gemfile": "", f"public/assets/{CSS}": ""}


def lock(version: str, *gems: str) -> dict[str, str]:
    """Return the Gemfile.lock of a Rails version and further gems."""
    lines = [f"    rails ({version})", f"      railties (= {version})", *(f"    {gem} (1.0)" for gem in gems)]
    return {"Gemfile.lock": "\n".join(["GEM", "  specs:", *lines, ""])}


def read(files: dict[str, str]) -> Diagnosis:
    """Diagnose files as if git tracked them."""
    contents = {name: content.encode() for name, content in files.items()}
    return diagnose_tree(Tree("app", "checkout", tuple(sorted(files)), contents), asset_rules())


def says_skip(diagnosis: Diagnosis) -> bool:
    """Say whether a finding says that the build does not compile."""
    return any("not compile" in finding.summary for finding in diagnosis.findings)


@pytest.mark.parametrize(
    ("name", "rails", "skips"),
    [
        ("manifest.yml", "3.2.22", True),
        ("manifest.yml", "4.2.11", False),
        ("manifest.yml", "7.1.2", False),
        (f"manifest-{A}.json", "3.2.22", False),
        (f"manifest-{A}.json", "4.0.0", True),
        (f"manifest-{A}.json", "8.0.1", True),
        (f"manifest-{A}.json", "9.0.0", True),
        (f".sprockets-manifest-{A}.json", "4.2.11", True),
        (f".sprockets-manifest-{A}.json", "8.0.1", True),
        (f".sprockets-manifest-{A}.json", "3.2.22", False),
        ("manifest.json", "4.2.11", False),
        ("manifest.json", "8.0.1", False),
        (".manifest.json", "8.0.1", False),
    ],
)
def test_skip_is_the_build_packs_own_test(name: str, rails: str, *, skips: bool) -> None:
    """The build is skipped for the very names that the build pack looks for in that Rails version."""
    content = MANIFEST if name != "manifest.yml" else f"application.css: {CSS}\n"
    assert says_skip(read(RAILS | lock(rails) | {f"public/assets/{name}": content})) is skips


def test_any_name_between_the_dashes_skips() -> None:
    """The build pack's glob also takes a file that is no manifest; it is named as the cause."""
    (finding,) = read(RAILS | {"public/assets/manifest-heroku.json": "{}"}).findings
    assert (finding.check, finding.severity) == ("manifest.tracked", "error")
    assert finding.fix.startswith("git rm --cached public/assets/manifest-heroku.json\n")


def test_skip_names_without_ruby() -> None:
    """Where there is no Ruby app, the name skips nothing."""
    assert read({"package.json": "{}", "public/assets/manifest-dark.json": '{"name": "App"}'}).findings == ()


def test_skip_is_for_one_folder_only() -> None:
    """The build pack looks in public/assets alone, not in other folders or in folders of it."""
    diagnosis = read(RAILS | {f"public/static/.sprockets-manifest-{A}.json": MANIFEST})
    assert not says_skip(diagnosis)
    assert [finding.severity for finding in diagnosis.findings if finding.check == "manifest.tracked"] == ["warning"]


@pytest.mark.parametrize(
    "content", ['{"name": "Shop", "icons": [{"src": "/assets/icon.png"}], "start_url": "/"}', "[]", '"text"', "{}"]
)
def test_web_app_manifest_is_no_build(content: str) -> None:
    """A web app's own manifest.json, which browsers read, is no finding."""
    files = {
        "public/assets/manifest.json": content,
        "public/manifest.json": content,
        "public/icons/manifest.json": content,
    }
    assert read({"Gemfile": "", **files}).findings == ()


@pytest.mark.parametrize("folder", ["packs-test", "vite-test", "vite-dev"])
def test_builds_for_tests_are_fine(folder: str) -> None:
    """Packs that were built for tests harm nobody's site."""
    files = {
        f"public/{folder}/manifest.json": json.dumps({"a.js": f"/{folder}/a-{A}.js"}),
        f"public/{folder}/.vite/manifest.json": "{}",
    }
    assert read(RAILS | files).findings == ()


def test_two_manifests() -> None:
    """With two manifests, the one that Sprockets reads is named: the first by name."""
    names = [f"public/assets/.sprockets-manifest-{letters}.json" for letters in (B, A)]
    findings = {finding.check: finding for finding in read(RAILS | dict.fromkeys(names, MANIFEST)).findings}
    assert findings.keys() == {"manifest.tracked", "manifest.second"}
    assert f"first by name, .sprockets-manifest-{A}.json," in findings["manifest.second"].summary
    assert findings["manifest.second"].severity == "error"


def test_manifests_of_two_generations() -> None:
    """Sprockets 3 and 4 read the dotted name, whatever stands before it in the alphabet."""
    names = [f"public/assets/{name}-{A}.json" for name in ("manifest", ".sprockets-manifest")]
    (second,) = [
        item for item in read(RAILS | dict.fromkeys(names, MANIFEST)).findings if item.check == "manifest.second"
    ]
    assert f"first by name, .sprockets-manifest-{A}.json," in second.summary


def test_manifests_that_belong_together() -> None:
    """The two manifests that Vite writes side by side are one build."""
    files = {"public/vite/.vite/manifest.json": "{}", "public/vite/.vite/manifest-assets.json": "{}"}
    assert [finding.check for finding in read(RAILS | files).findings] == ["manifest.tracked"]


def test_gem_that_ships_its_build() -> None:
    """A gem that commits its bundles does so for those who install it: no accusation."""
    diagnosis = read({"shop.gemspec": "", "Gemfile": "", "app/assets/builds/shop.js": ""})
    assert diagnosis.is_fine
    assert [(finding.check, finding.severity) for finding in diagnosis.findings] == [("build.tracked", "notice")]


@pytest.mark.parametrize(
    "path", ["config/staticfiles.json", "dist/manifest.json", "public/build/manifest.json", "build/asset-manifest.json"]
)
@pytest.mark.parametrize("content", ["{}", '{"name": "x", "version": 3}', "[1]"])
def test_names_that_prove_nothing(path: str, content: str) -> None:
    """A file that shares its name with a manifest, and not its content, is no finding."""
    assert read({"Gemfile": "", "package.json": "{}", "manage.py": "", path: content}).findings == ()


def test_empty_builds_folder() -> None:
    """The .keep that holds the folder of bundles is no bundle."""
    assert read(RAILS | {"app/assets/builds/.keep": ""}).findings == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  config.assets.compile = true\n", ["config.compile"]),
        ("  config.assets.compile=true # live\n", ["config.compile"]),
        ("  # config.assets.compile = true\n", []),
        ("  config.assets.compile = false\n", []),
        ('  config.assets.compile = ENV["LIVE"].present?\n', []),
        ("  config.assets.compiler = true\n", []),
    ],
)
def test_compiling_while_visitors_wait(line: str, expected: list[str]) -> None:
    """Only a setting that is on in production is a problem."""
    files = {"config/environments/production.rb": f"Rails.application.configure do\n{line}end\n"}
    assert [finding.check for finding in read({"Gemfile": "", **files}).findings if finding.is_problem] == expected


def test_production_overrules_the_application() -> None:
    """What production.rb says counts, not what application.rb says for every environment."""
    files = {
        "config/application.rb": "config.assets.compile = true\n",
        "config/environments/production.rb": "config.assets.compile = false\n",
    }
    assert read({"Gemfile": "", **files}).findings == ()
    del files["config/environments/production.rb"]
    assert [finding.check for finding in read({"Gemfile": "", **files}).findings] == ["config.compile"]


def test_setting_that_propshaft_does_not_read() -> None:
    """With Propshaft alone, the setting that should keep the build from compiling is mentioned as moot."""
    files = lock("8.0.1", "propshaft") | {"config/environments/production.rb": "config.assets.compile = false\n"}
    (finding,) = read({"Gemfile": "", **files}).findings
    assert (finding.check, finding.severity) == ("config.compile", "info")


def test_hand_made_files_are_named() -> None:
    """The fix warns of files in the folder that no manifest lists, before it removes the folder."""
    files = {f"public/assets/.sprockets-manifest-{A}.json": MANIFEST, "public/assets/logo.png": ""}
    (finding,) = read(RAILS | files).findings
    assert finding.fix.splitlines()[0].endswith("out of public/assets: public/assets/logo.png")


def test_lines_that_gitignore_has_are_not_added() -> None:
    """A line that stands in .gitignore already is not said to be lacking."""
    files = {f"public/assets/.sprockets-manifest-{A}.json": MANIFEST, ".gitignore": "log\n/public/assets/\n"}
    (finding,) = read(RAILS | files).findings
    assert ">> .gitignore" not in finding.fix


def test_files_of_another_host_are_not_missing() -> None:
    """A listed file that lies on another host need not be committed."""
    manifest = json.dumps({"a.js": f"/packs/a-{A}.js", "b.js": f"https://cdn.example/packs/b-{A}.js"})
    diagnosis = read({"Gemfile": "", "public/packs/manifest.json": manifest, f"public/packs/a-{A}.js": ""})
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]


def test_source_maps_are_not_missed() -> None:
    """A page works without source maps and compressed copies."""
    manifest = json.dumps({"a.js": f"/packs/a-{A}.js", "a.js.map": f"/packs/a-{A}.js.map"})
    diagnosis = read({"Gemfile": "", "public/packs/manifest.json": manifest, f"public/packs/a-{A}.js": ""})
    assert [finding.check for finding in diagnosis.findings] == ["manifest.tracked"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<<<<<<< HEAD\n{}", "it is not JSON"),
        ("", "it is empty"),
        ("\0\0\0", "it begins with NUL bytes"),
        ("[" * 200_000, "it is nested too deeply"),
        ('{"files": 1' + "0" * 5_000 + "}", "it is not JSON"),
        ("\xff", "it is not JSON"),
    ],
)
def test_damaged_manifest(content: str, reason: str) -> None:
    """A manifest that cannot be read is a finding of its own, and is still said to be committed."""
    path = f"public/assets/.sprockets-manifest-{A}.json"
    tree = Tree("app", "checkout", ("Gemfile", path), {path: content.encode("latin-1")})
    findings = {finding.check: finding.summary for finding in diagnose_tree(tree, asset_rules()).findings}
    assert findings.keys() == {"manifest.tracked", "manifest.damaged"}
    assert reason in findings["manifest.damaged"]
