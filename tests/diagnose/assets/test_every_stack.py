"""Each stack, in real repositories: committed, ignored, stale, fresh, and with a file missing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

import deflect.diagnose.assets
from deflect.diagnose import Diagnosis
from deflect.diagnose.assets.diagnosis import diagnose_tree
from deflect.diagnose.assets.stacks import asset_rules
from deflect.diagnose.assets.tree import Tree

MD5 = "0123456789abcdef0123456789abcdef"
SHA = MD5 * 2
CHECK = re.compile(r'"((?:manifest|build|asset|sources|config|log|html|cause)\.(?!json|yml|files|py|ru\b)[a-z_]+)"')


@dataclass(frozen=True)
class Case:
    """A committed build of one stack: its app, its files, and what must be said of them."""

    stack: str
    app: dict[str, str]
    manifest: str
    content: str
    outputs: tuple[str, ...]
    source: str
    severity: str
    remove: str
    ignore: tuple[str, ...]


def sprockets(name: str) -> str:
    """Return a Sprockets manifest of one style sheet."""
    file = f"application-{SHA}.css"
    return json.dumps({"files": {file: {"logical_path": name, "mtime": "2024-01-01"}}, "assets": {name: file}})


RAILS = {"Gemfile": "gem 'rails'\n", "config/application.rb": "# Rails\n"}
RAILS_7 = RAILS | {"Gemfile.lock": "GEM\n  specs:\n    rails (7.1.2)\n      railties (= 7.1.2)\n"}
RAILS_3 = RAILS | {"Gemfile.lock": "GEM\n  specs:\n    rails (3.2.22)\n"}
NODE = {"package.json": "{}"}
VITE = json.dumps({"app.js": {"file": "assets/app-B1x9Qz_2.js", "css": ["assets/app-C1x9Qz_2.css"]}})
VITE_FILES = ("assets/app-B1x9Qz_2.js", "assets/app-C1x9Qz_2.css")
ASSETS = ("git rm -r --cached public/assets", ("/public/assets/",))

CASES = {
    "sprockets 4": Case(
        "Sprockets",
        RAILS_7,
        f"public/assets/.sprockets-manifest-{MD5}.json",
        sprockets("application.css"),
        (f"public/assets/application-{SHA}.css",),
        "app/assets/stylesheets/application.css",
        "error",
        *ASSETS,
    ),
    "sprockets 2.12": Case(
        "Sprockets",
        RAILS,
        f"public/assets/manifest-{MD5}.json",
        sprockets("application.css"),
        (f"public/assets/application-{SHA}.css",),
        "app/javascript/application.js",
        "error",
        *ASSETS,
    ),
    "sprockets 2.2": Case(
        "Sprockets",
        RAILS,
        "public/assets/manifest.json",
        sprockets("application.css"),
        (f"public/assets/application-{SHA}.css",),
        "app/assets/stylesheets/application.css",
        "warning",
        *ASSETS,
    ),
    "rails 3": Case(
        "Sprockets",
        RAILS_3,
        "public/assets/manifest.yml",
        f"--- \napplication.css: application-{MD5}.css\n",
        (f"public/assets/application-{MD5}.css",),
        "app/assets/stylesheets/application.css",
        "error",
        *ASSETS,
    ),
    "propshaft": Case(
        "Propshaft",
        RAILS_7,
        "public/assets/.manifest.json",
        json.dumps({"app.css": "app-1a2b3c4d.css"}),
        ("public/assets/app-1a2b3c4d.css",),
        "app/assets/stylesheets/app.css",
        "error",
        *ASSETS,
    ),
    "propshaft, new": Case(
        "Propshaft",
        RAILS_7,
        "public/assets/.manifest.json",
        json.dumps({"app.css": {"digested_path": "app-1a2b3c4d.css", "integrity": None, "app": "main"}}),
        ("public/assets/app-1a2b3c4d.css",),
        "app/assets/stylesheets/app.css",
        "error",
        *ASSETS,
    ),
    "webpacker": Case(
        "Webpacker or Shakapacker",
        RAILS | {"config/webpacker.yml": "default:\n"},
        "public/packs/manifest.json",
        json.dumps({"application.js": f"/packs/js/application-{MD5[:20]}.js"}),
        (f"public/packs/js/application-{MD5[:20]}.js",),
        "app/javascript/packs/application.js",
        "warning",
        "git rm -r --cached public/packs",
        ("/public/packs/",),
    ),
    "shakapacker elsewhere": Case(
        "Webpacker or Shakapacker",
        RAILS | {"config/shakapacker.yml": "default:\n  public_output_path: bundles\n"},
        "public/bundles/manifest.json",
        json.dumps({"a.js": f"/bundles/js/a-{MD5[:20]}.js", "entrypoints": {"a": {"assets": {"js": []}}}}),
        (f"public/bundles/js/a-{MD5[:20]}.js",),
        "app/javascript/packs/a.js",
        "warning",
        "git rm -r --cached public/bundles",
        ("/public/bundles/",),
    ),
    "vite_ruby": Case(
        "Vite",
        RAILS | {"config/vite.json": "{}"},
        "public/vite/.vite/manifest.json",
        VITE,
        tuple(f"public/vite/{name}" for name in VITE_FILES),
        "app/frontend/entrypoints/app.js",
        "warning",
        "git rm -r --cached public/vite",
        ("/public/vite/",),
    ),
    "vite_ruby, other assets": Case(
        "Vite",
        RAILS | {"config/vite.json": "{}"},
        "public/vite/.vite/manifest-assets.json",
        json.dumps({"img.png": {"file": "assets/img-1a2b3c4d.png", "src": "img.png"}}),
        ("public/vite/assets/img-1a2b3c4d.png",),
        "app/frontend/images/img.png",
        "warning",
        "git rm -r --cached public/vite",
        ("/public/vite/",),
    ),
    "vite_ruby, old": Case(
        "Vite",
        RAILS,
        "public/vite/manifest.json",
        VITE,
        tuple(f"public/vite/{name}" for name in VITE_FILES),
        "app/frontend/entrypoints/app.js",
        "warning",
        "git rm -r --cached public/vite",
        ("/public/vite/",),
    ),
    "vite alone": Case(
        "Vite",
        NODE,
        "dist/.vite/manifest.json",
        VITE,
        tuple(f"dist/{name}" for name in VITE_FILES),
        "src/app.js",
        "warning",
        "git rm -r --cached dist",
        ("/dist/",),
    ),
    "laravel vite": Case(
        "Laravel with Vite",
        {"artisan": "", **NODE},
        "public/build/manifest.json",
        VITE,
        tuple(f"public/build/{name}" for name in VITE_FILES),
        "resources/js/app.js",
        "warning",
        "git rm -r --cached public/build",
        ("/public/build/",),
    ),
    "laravel mix": Case(
        "Laravel Mix",
        {"artisan": "", "webpack.mix.js": ""},
        "public/mix-manifest.json",
        json.dumps({"/js/app.js": "/js/app.js?id=1a2b3c4d"}),
        ("public/js/app.js",),
        "resources/js/app.js",
        "warning",
        "git rm --cached public/mix-manifest.json public/js/app.js",
        ("/public/mix-manifest.json", "/public/js/app.js"),
    ),
    "encore": Case(
        "Symfony Encore",
        {"symfony.lock": "{}", **NODE},
        "public/build/manifest.json",
        json.dumps({"build/app.js": "/build/app.1a2b3c4d.js"}),
        ("public/build/app.1a2b3c4d.js",),
        "assets/app.js",
        "warning",
        "git rm -r --cached public/build",
        ("/public/build/",),
    ),
    "hanami": Case(
        "Hanami",
        {"config/app.rb": "", "Gemfile": ""},
        "public/assets/assets.json",
        json.dumps({"app.js": {"url": "/assets/app-1A2B3C4D.js"}}),
        ("public/assets/app-1A2B3C4D.js",),
        "app/assets/js/app.js",
        "warning",
        *ASSETS,
    ),
    "django": Case(
        "Django staticfiles",
        {"manage.py": ""},
        "staticfiles/staticfiles.json",
        json.dumps({"paths": {"css/a.css": "css/a.1a2b3c4d5e6f.css"}, "version": "1.1", "hash": ""}),
        ("staticfiles/css/a.1a2b3c4d5e6f.css", "staticfiles/css/a.css"),
        "shop/static/css/a.css",
        "warning",
        "git rm -r --cached staticfiles",
        ("/staticfiles/",),
    ),
    "react": Case(
        "Create React App",
        NODE,
        "build/asset-manifest.json",
        json.dumps({"files": {"main.js": "/site/static/js/main.1a2b3c4d.js"}, "entrypoints": []}),
        ("build/static/js/main.1a2b3c4d.js",),
        "src/index.js",
        "warning",
        "git rm -r --cached build",
        ("/build/",),
    ),
    "phoenix": Case(
        "Phoenix",
        {"mix.exs": ""},
        "priv/static/cache_manifest.json",
        json.dumps({"version": 1, "latest": {"assets/app.css": f"assets/app-{MD5}.css"}, "digests": {}}),
        (f"priv/static/assets/app-{MD5}.css",),
        "assets/css/app.css",
        "warning",
        f"git rm --cached priv/static/cache_manifest.json priv/static/assets/app-{MD5}.css",
        ("/priv/static/cache_manifest.json", "/priv/static/assets/"),
    ),
    "jsbundling": Case(
        "jsbundling or cssbundling",
        RAILS_7 | {"app/assets/builds/.keep": ""},
        "app/assets/builds/application.js",
        "// built",
        (),
        "app/javascript/application.js",
        "warning",
        "git rm --cached app/assets/builds/application.js",
        ("/app/assets/builds/*", "!/app/assets/builds/.keep"),
    ),
    "next": Case(
        "Next.js",
        NODE,
        ".next/BUILD_ID",
        "k2j3h4",
        (),
        "pages/index.js",
        "warning",
        "git rm -r --cached .next",
        ("/.next/",),
    ),
    "next, manifest": Case(
        "Next.js",
        NODE,
        ".next/build-manifest.json",
        "{}",
        (),
        "app/page.js",
        "warning",
        "git rm -r --cached .next",
        ("/.next/",),
    ),
    "nuxt": Case(
        "Nuxt",
        NODE,
        ".output/nitro.json",
        "{}",
        (),
        "pages/index.vue",
        "warning",
        "git rm -r --cached .output",
        ("/.output/",),
    ),
    "sveltekit": Case(
        "SvelteKit",
        NODE,
        ".svelte-kit/output/client/.vite/manifest.json",
        VITE,
        tuple(f".svelte-kit/output/client/{name}" for name in VITE_FILES),
        "src/routes/+page.svelte",
        "warning",
        "git rm -r --cached .svelte-kit",
        ("/.svelte-kit/",),
    ),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def built(case: Case) -> dict[str, str]:
    """Return the app with its sources and its build."""
    return case.app | {case.source: "old", case.manifest: case.content} | dict.fromkeys(case.outputs, "built")


def found(diagnosis: Diagnosis) -> list[str]:
    """Return the name of each problem that is not about the commit itself."""
    return [finding.check for finding in diagnosis.findings if not finding.check.endswith(".tracked")]


def test_every_stack_has_a_case() -> None:
    """No stack of the table is without a case here."""
    assert {stack.name for stack in asset_rules().stacks} == {case.stack for case in CASES.values()}


def test_every_stack_is_documented(root: Path) -> None:
    """The page of the tool names every stack of the table."""
    page = " ".join((root / "docs" / "diagnose-assets.md").read_text("utf-8").split())
    assert [stack.name for stack in asset_rules().stacks if stack.name not in page] == []


def test_every_check_is_documented(root: Path) -> None:
    """The page of the tool names every check that the code can report."""
    page = (root / "docs" / "diagnose-assets.md").read_text("utf-8")
    code = [*(root / "deflect" / "diagnose" / "assets").glob("*.py"), files(deflect.diagnose.assets) / "stacks.toml"]
    checks = {name for path in code for name in CHECK.findall(path.read_text("utf-8"))}
    assert len(checks) > 15
    assert sorted(name for name in checks if f"`{name}`" not in page) == []


@every_case
def test_committed_build_is_named(repository, case: Case) -> None:
    """A committed build is a finding that names the stack, the file, what to remove and what to ignore."""
    repository.commit(built(case))
    diagnosis = repository.diagnose()
    (finding,) = diagnosis.findings
    assert finding.check in {"manifest.tracked", "build.tracked"}
    assert finding.severity == case.severity
    assert finding.summary.startswith(f"{case.stack}: ")
    assert case.manifest in finding.evidence
    assert case.remove in finding.fix.splitlines()
    lines = [line.removeprefix("echo ").removesuffix(" >> .gitignore").strip("'") for line in finding.fix.splitlines()]
    assert [line for line in lines if line in case.ignore] == list(case.ignore)


@every_case
def test_the_fix_mends_it(repository, case: Case) -> None:
    """After the commands of the fix, nothing is wrong, and the sources are still there."""
    repository.commit(built(case))
    (finding,) = repository.diagnose().findings
    commands = [line for line in finding.fix.splitlines() if line.startswith(("git rm", "echo"))]
    repository.write({"fix.sh": "\n".join(commands)})
    repository.git("-c", "alias.fix=!sh -e fix.sh", "fix")
    repository.commit()
    assert repository.diagnose().findings == ()
    assert case.source in repository.git("ls-files").splitlines()


@every_case
def test_ignored_build_is_fine(repository, case: Case) -> None:
    """A build beside the sources that git does not track is no finding."""
    ignore = "\n".join(["/fix.sh", *case.ignore, ""])
    repository.commit(case.app | {case.source: "old", ".gitignore": ignore})
    repository.write(built(case))
    repository.commit()
    assert case.manifest not in repository.git("ls-files")
    assert repository.diagnose().findings == ()


@every_case
def test_newer_sources(repository, case: Case) -> None:
    """Sources that changed after the build was committed are named with both days."""
    repository.commit(built(case))
    repository.commit({case.source: "new"})
    diagnosis = repository.diagnose()
    assert found(diagnosis) == ["sources.newer"]
    (evidence,) = [finding.evidence for finding in diagnosis.findings if finding.check == "sources.newer"]
    assert evidence.index("2024-01-01 12:00 UTC") < evidence.index("2024-01-02 12:00 UTC")


@every_case
def test_fresh_build(repository, case: Case) -> None:
    """A build that was committed again, with or after its sources, is not said to be old."""
    repository.commit(built(case))
    repository.commit({case.source: "new"})
    repository.commit({case.manifest: f"{case.content}\n"})
    repository.commit({"README.md": "Read me."})
    assert found(repository.diagnose()) == []


def read(files: Mapping[str, str]) -> Diagnosis:
    """Diagnose files as if git tracked them."""
    contents = {name: content.encode() for name, content in files.items()}
    return diagnose_tree(Tree("app", "checkout", tuple(sorted(files)), contents), asset_rules())


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.outputs], ids=lambda case: case.manifest)
def test_missing_file(case: Case) -> None:
    """A file that the manifest lists and git lacks is named."""
    files = built(case)
    del files[case.outputs[0]]
    diagnosis = read(files)
    assert found(diagnosis) == ["asset.missing"]
    name = case.outputs[0].rpartition("/")[2]
    assert any(name in finding.evidence for finding in diagnosis.findings if finding.check == "asset.missing")


@every_case
def test_app_in_a_subfolder(case: Case) -> None:
    """An app may lie in any folder of the repository; the fix names the files from the root."""
    (finding,) = read({f"apps/shop/{name}": content for name, content in built(case).items()}).findings
    assert f"apps/shop/{case.manifest}" in finding.evidence
    assert "apps/shop/" in finding.fix.splitlines()[0]


@every_case
@pytest.mark.parametrize("folder", ["spec/dummy", "test/fixtures/app", "node_modules/x", "vendor/gems/y", "examples/z"])
def test_builds_of_others_are_not_accused(case: Case, folder: str) -> None:
    """A build in a test's, example's or vendored folder is at most mentioned."""
    diagnosis = read({f"{folder}/{name}": content for name, content in built(case).items()} | {"Gemfile": ""})
    assert diagnosis.is_fine
    assert [finding.check for finding in diagnosis.findings] == ["manifest.elsewhere"]
