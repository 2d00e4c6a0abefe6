"""What platforms want, as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from deflect.diagnose import load_profile
from deflect.diagnose.dns.profile import profile_names
from deflect.errors import ParameterError


def test_shipped_profiles() -> None:
    """These platforms come with the package."""
    assert profile_names() == ("cloudflare-pages", "fly", "github-pages", "heroku", "netlify", "render", "vercel")


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profile_is_complete(name: str) -> None:
    """Each profile knows its targets, its certificate authorities, an example and a page; the example is a target."""
    profile = load_profile(name)
    assert profile.name
    assert profile.url.startswith("https://")
    assert profile.certificate_authorities
    assert profile.is_target(profile.target_example.lower())


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("heroku", "a.herokudns.com"),
        ("netlify", "site.netlify.app"),
        ("vercel", "cname.vercel-dns.com"),
        ("vercel", "d1d4fc829fe7bc7c.vercel-dns-017.com"),
        ("github-pages", "someone.github.io"),
        ("fly", "app.fly.dev"),
        ("render", "app.onrender.com"),
        ("cloudflare-pages", "project.pages.dev"),
    ],
)
def test_target_is_known(profile: str, name: str) -> None:
    """A platform's target is one, and a look-alike is none."""
    assert load_profile(profile).is_target(name)
    assert not load_profile(profile).is_target(f"{name}.example.net")


def test_own_profile(tmp_path: Path) -> None:
    """A user's own file is a profile like the others."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "Mine"\ntargets = ["*.mine.example"]\naddresses = ["192.0.2.0/24"]\n', "utf-8")
    profile = load_profile(path)
    assert (profile.name, profile.is_target("a.mine.example"), profile.has_address("192.0.2.9")) == ("Mine", True, True)


def test_every_fault_is_named(tmp_path: Path) -> None:
    """Whoever edits a profile sees all mistakes at once."""
    path = tmp_path / "mine.toml"
    path.write_text('targets = "x"\naddresses = ["300.0.0.1"]\naddress_rule = "never"\ncolour = "red"\n', "utf-8")
    with pytest.raises(ParameterError) as caught:
        load_profile(path)
    for place in ("name must be", "targets must be", "addresses must be", "address_rule must be", "colour must be"):
        assert place in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff", "TOML in UTF-8"), (b"a = ", "TOML in UTF-8"), (b"#" * 300_000, "at most 200,000")]
)
def test_file_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that is no TOML, or far too long, is refused in words."""
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=words):
        load_profile(path)


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is refused in words."""
    with pytest.raises(ParameterError, match="No such file"):
        load_profile(tmp_path / "none.toml")


def test_unknown_name() -> None:
    """An unknown profile names those that there are."""
    with pytest.raises(ParameterError, match="heroku, netlify, render, vercel"):
        load_profile("horoku")
