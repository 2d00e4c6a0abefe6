"""Dead links, asked of a real server on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deflect.edge.links import DeadLink, find_dead_links
from deflect.errors import ParameterError
from deflect.line.playbook import Advice, Article, Entry, Playbook, Tool


class Site(BaseHTTPRequestHandler):
    """Answers with the status that the path names, after as many redirects as it names."""

    released = threading.Event()
    asked: list[str]

    def do_HEAD(self) -> None:
        """Answer a HEAD request; /get-only/ and /no-head/ refuse it."""
        self.answer("HEAD")

    def do_GET(self) -> None:
        """Answer a GET request."""
        self.answer("GET")

    def answer(self, method: str) -> None:
        """Answer as /status/404, /redirects/3, /loop, /slow, /get-only/200, /no-head/200, /away, /nowhere say."""
        self.asked.append(f"{method} {self.path}")
        kind, _, value = self.path.strip("/").partition("/")
        if kind == "slow":
            self.released.wait(30)
        elif kind in {"get-only", "no-head"} and method == "HEAD":
            self.finish_with(405 if kind == "get-only" else 501)
        elif kind in {"loop", "away", "nowhere"}:
            self.finish_with(302, {"loop": "/loop", "away": "ftp://127.0.0.1/", "nowhere": ""}[kind])
        elif kind == "redirects" and value != "0":
            self.finish_with(301, f"/redirects/{int(value) - 1}")
        else:
            self.finish_with(int(value) if value.isdigit() and value != "0" else 200)

    def finish_with(self, status: int, location: str = "") -> None:
        """Send an answer without a body."""
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a running site."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = type("AskedSite", (Site,), {"asked": [], "released": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        handler.released.set()
        server.shutdown()
        thread.join()


def playbook(*urls: str, tool: Tool | None = None, locales: dict[str, Advice] | None = None) -> Playbook:
    """Return a playbook of one category whose articles have these urls."""
    articles = tuple(Article("A page", url, "What it says.") for url in urls)
    entry = Entry("dns", "auto", "us", date(2026, 11, 23), "Hello.", articles, tool, locales or {})
    return Playbook({"dns": entry}, None, "")


def whys(site: str, *paths: str, timeout_seconds: float = 10.0) -> list[str]:
    """Return why the dead ones among some paths of the site are dead."""
    links = find_dead_links(playbook(*(site + path for path in paths)), timeout_seconds=timeout_seconds)
    return [link.why for link in links]


def test_live_links(site: str) -> None:
    """A page that answers 200 is not dead, nor one behind five redirects, nor one with letters beyond ASCII."""
    assert whys(site, "/", "/status/200", "/redirects/5", "/seite/übersicht?q=ä%20b") == []


@pytest.mark.parametrize("status", [404, 410, 500, 503])
def test_error_answers(site: str, status: int) -> None:
    """A page that answers with an error is dead, and the status says why."""
    url = f"{site}/status/{status}"
    assert find_dead_links(playbook(url)) == [DeadLink("dns", url, f"HTTP {status}")]


@pytest.mark.parametrize("path", ["/redirects/6", "/loop", "/nowhere", "/away"])
def test_redirects_that_do_not_end(site: str, path: str) -> None:
    """A sixth redirect, a loop, a redirect to nowhere and one to another protocol make a link dead."""
    [why] = whys(site, path)
    assert "redirect" in why


def test_slow_server(site: str) -> None:
    """A server that stays silent for longer than the limit makes a link dead."""
    assert whys(site, "/slow", timeout_seconds=0.2) == ["no answer within 0.2 seconds"]


def test_closed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes no connections makes a link dead."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        [why] = whys(address, "/")
    assert "refused" in why


@pytest.mark.parametrize("path", ["/get-only/200", "/no-head/200"])
def test_head_is_refused(site: str, path: str) -> None:
    """Where a server refuses HEAD, its answer to GET counts: a page that is there is alive."""
    assert whys(site, path) == []


def test_head_is_refused_and_the_page_is_gone(site: str) -> None:
    """Where a server refuses HEAD, its answer to GET counts: a page that is gone is dead."""
    assert whys(site, "/get-only/404") == ["HTTP 404"]


def test_no_such_host() -> None:
    """A host name that cannot be one makes a link dead, and raises nothing."""
    [link] = find_dead_links(playbook(f"https://{'ä' * 64}.example/"))
    assert link.why != ""


def test_links_in_locales_and_tools(site: str) -> None:
    """Articles in other locales are asked for, and a tool's url where it has no parameters."""
    german = Advice("Hallo.", (Article("Eine Seite", f"{site}/status/404", "Was da steht."),))
    tool = Tool("Status", url=f"{site}/status/500")
    dead = find_dead_links(playbook(f"{site}/", tool=tool, locales={"de": german}))
    assert [(link.url, link.why) for link in dead] == [
        (f"{site}/status/404", "HTTP 404"),
        (f"{site}/status/500", "HTTP 500"),
    ]


def test_templates_are_skipped() -> None:
    """A tool's url with parameters is no link yet, and is not asked for."""
    tool = Tool("Check", url="http://127.0.0.1:1/{domain}", parameters=("domain",))
    assert find_dead_links(playbook(tool=tool)) == []


def test_order(site: str) -> None:
    """Dead links come in the playbook's order, each once a category, whoever answers first."""
    paths = [f"/status/{400 + i}" for i in range(20)]
    dead = find_dead_links(playbook(*(site + path for path in [*paths, *paths])))
    assert [link.url for link in dead] == [site + path for path in paths]


def test_timeout_must_be_positive() -> None:
    """A limit of 0 seconds is refused."""
    with pytest.raises(ParameterError, match=r"timeout_seconds must be above 0. Got 0 instead."):
        find_dead_links(playbook(), timeout_seconds=0)
