"""Servers on this machine for the tests of status pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from loopback import Site, serving


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return the one authority that the tests trust."""
    return trustme.CA()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: trustme.CA) -> None:
    """Ask this machine directly, and trust one authority: reading hundreds takes a tenth of a second for each feed."""
    monkeypatch.setenv("no_proxy", "*")
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def site() -> Iterator[Site]:
    """Return a running site that answers that nothing is on."""
    with serving() as running:
        yield running


@pytest.fixture
def another_site() -> Iterator[Site]:
    """Return a second running site."""
    with serving() as running:
        yield running
