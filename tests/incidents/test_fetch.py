"""Servers that do what no server should: the old snapshot stays, and the error says what was wrong."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import pytest
import trustme
from loopback import Asked, Site, http_answer, serving

from deflect.errors import IncidentFeedError, NoStatusPageError
from deflect.incidents import IncidentFeed, fetch

DOWN = '{"incidents": [{"id": "1", "title": "Down"}]}'


def answer(body: bytes, *lines: str) -> bytes:
    """Return an HTTP answer with these header lines and no others."""
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body


def titles(feed: IncidentFeed) -> list[str]:
    """Return the titles of the incidents that a feed knows."""
    return [incident.title for incident in feed.snapshot.incidents]


@pytest.fixture
def feed(site: Site) -> Iterator[IncidentFeed]:
    """Return a feed that knows one incident of a site, and gives up soon."""
    site.says(DOWN)
    with IncidentFeed(f"{site.url}/x.json", interval_seconds=1000, timeout_seconds=1, max_bytes=100_000) as running:
        assert titles(running) == ["Down"]
        yield running


def error_after_refresh(feed: IncidentFeed) -> str:
    """Refresh a feed, and return the error, after asserting that the old snapshot is still there."""
    feed.refresh()
    assert titles(feed) == ["Down"]
    return feed.snapshot.error


BOMB = gzip.compress(b" " * 50_000_000)
HOSTILE = {
    "a long answer": (answer(b" " * 5_000_000), "must be at most 100,000 bytes long"),
    "a long answer that says so": (
        answer(b" ", "Content-Length: 50000000"),
        "at most 100,000 bytes long, got 50,000,000",
    ),
    "a gzip bomb": (
        answer(BOMB, f"Content-Length: {len(BOMB)}", "Content-Encoding: gzip"),
        "must be at most 100,000 bytes long",
    ),
    "layers of gzip": (
        answer(gzip.compress(BOMB), "Content-Encoding: gzip, gzip"),
        "must be sent as it is or in gzip, got 'gzip, gzip'",
    ),
    "brotli unasked": (answer(b"x", "Content-Encoding: br"), "got 'br'"),
    "no gzip": (answer(b"{}", "Content-Encoding: gzip"), "could not be read"),
    "half a gzip": (answer(gzip.compress(DOWN.encode())[:-20], "Content-Encoding: gzip"), "ends too early"),
    "a length too long": (answer(DOWN.encode(), "Content-Length: 1000"), "could not be read"),
    "a length too short": (answer(DOWN.encode(), "Content-Length: 10"), "must be JSON, RSS or Atom"),
    "two lengths": (answer(DOWN.encode(), "Content-Length: 10", "Content-Length: 11"), "could not be read"),
    "a length that is none": (answer(DOWN.encode(), "Content-Length: many"), "could not be read"),
    "a chunk broken off": (answer(b"ff\r\n{", "Transfer-Encoding: chunked"), "could not be read"),
    "nothing at all": (b"", "could not be read"),
    "no HTTP": (b"\x16\x03\x01 hello\r\n\r\n", "could not be read"),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le", "could not be read"),
    "an endless head": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, "could not be read"),
    "a server in trouble": (b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n", "HTTP 503"),
    "a log-in": (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "HTTP 401"),
    "not modified, unasked": (b"HTTP/1.1 304 Same\r\n\r\n", ""),
    "a web page": (answer(b"<!doctype html><html>Hi</html>"), "no status page that deflect knows"),
    "other JSON": (answer(b'{"error": "gone"}'), "no status page that deflect knows"),
    "text": (answer(b"All fine."), "must be JSON, RSS or Atom"),
    "a length that is a book": (answer(b"{}", "Content-Length: " + "9" * 5_000), "could not be read"),
    "too many values": (answer(b"[" + b"1," * 49_000 + b"1]"), "no status page that deflect knows"),
    "a redirect to nowhere": (b"HTTP/1.1 302 Go\r\nLocation: http://\r\n\r\n", "must end in a page after at most 5"),
    "a redirect without a target": (b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n", "HTTP 302"),
    "a redirect to a file": (b"HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\n\r\n", "must not be redirected"),
    "a redirect to a private host": (
        b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.2:1/\r\n\r\n",
        "must not be redirected to 127.0.0.2, whose address is not public",
    ),
    "a redirect to the cloud's secrets": (
        b"HTTP/1.1 302 Go\r\nLocation: http://169.254.169.254/latest\r\n\r\n",
        "whose address is not public",
    ),
    "a redirect to a mapped address": (
        b"HTTP/1.1 302 Go\r\nLocation: http://[::ffff:127.0.0.1]/\r\n\r\n",
        "whose address is not public",
    ),
    "a host that cannot be": (b"HTTP/1.1 302 Go\r\nLocation: http://" + b"a" * 300 + b"/\r\n\r\n", "could not be read"),
    "markup and colours": (b"HTTP/1.1 200 OK\r\nContent-Encoding: \x1b[31m<b>\r\n\r\n", "could not be read|got '"),
}


@pytest.mark.parametrize(("sent", "error"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_answer(site: Site, feed: IncidentFeed, sent: bytes, error: str) -> None:
    """Whatever the server sends, the last snapshot stays and the error says what was wrong."""
    site.sends(sent)
    said = error_after_refresh(feed)
    assert re.search(error, said), said
    assert said.isprintable()


def slowly(pieces: Iterable[bytes], site: Site, seconds: float) -> Iterable[bytes]:
    """Yield pieces with pauses, until the test is over."""
    for piece in pieces:
        yield piece
        site.released.wait(seconds)


@pytest.mark.parametrize(
    "pieces",
    [
        [b""] * 1_000,
        [bytes([byte]) for byte in http_answer(DOWN)],
        [http_answer(b" " * 99_000)[:100], *[b" "] * 1_000],
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 1_000],
    ],
    ids=["silence", "a byte now and then", "a body without end", "a head without end"],
)
def test_slow_server(site: Site, pieces: list[bytes]) -> None:
    """However a server drags on, it is given up when the time is over, not when it falls silent."""
    site.says(DOWN)
    with IncidentFeed(f"{site.url}/x.json", interval_seconds=1000, timeout_seconds=0.5) as feed:
        site.answer = lambda _: slowly(pieces, site, 0.1)
        start = time.monotonic()
        feed.refresh()
        assert feed.snapshot.error == f"{site.url}/x.json could not be read: no answer within 0.5 seconds"
        assert time.monotonic() - start < 10  # A second on any machine that is not stuck itself.
        assert titles(feed) == ["Down"]


def test_endless_body(site: Site, feed: IncidentFeed) -> None:
    """A body without end is read to the limit and no further."""

    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while not site.released.is_set():
            yield b" " * 10_000

    site.answer = lambda _: endless()
    assert "must be at most 100,000 bytes long" in error_after_refresh(feed)


def test_long_answer_is_not_waited_for(site: Site, feed: IncidentFeed) -> None:
    """An answer that says that it is too long is refused before any of it comes."""

    def silent() -> Iterator[bytes]:
        yield answer(b"", "Content-Length: 100001")
        site.released.wait(10)

    site.answer = lambda _: silent()
    assert error_after_refresh(feed).endswith("must be at most 100,000 bytes long, got 100,001")


def test_it_comes_back(site: Site, feed: IncidentFeed) -> None:
    """After trouble, a good answer counts at once, and the error is gone."""
    site.says("", status=500)
    assert "HTTP 500" in error_after_refresh(feed)
    site.says('{"incidents": [{"title": "Better"}]}')
    feed.refresh()
    assert (feed.snapshot.error, "Better" in titles(feed)) == ("", True)


def test_nobody_listens() -> None:
    """A server that is not there is an error, and no exception."""
    with serving() as gone:
        url = gone.url
    feed = IncidentFeed(url, timeout_seconds=5)
    assert "could not be read" in feed.refresh().error
    feed.close()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_packed(site: Site, encoding: str) -> None:
    """A packed answer is unpacked."""
    packed = zlib.compress(DOWN.encode()) if encoding == "deflate" else gzip.compress(DOWN.encode())
    site.says(packed, Content_Encoding=encoding)
    with IncidentFeed(f"{site.url}/x.json") as feed:
        assert titles(feed) == ["Down"]


def test_only_gzip_is_asked_for(site: Site) -> None:
    """The request offers gzip alone, which can be unpacked bit by bit, and says who asks."""
    with IncidentFeed(f"{site.url}/x.json"):
        headers = site.asked[0].headers
    assert (headers["accept-encoding"], headers["user-agent"]) == ("gzip", "deflect (incident feed)")


def test_redirects(site: Site) -> None:
    """Redirects within the host are followed."""
    site.answer = lambda asked: [
        http_answer(DOWN) if asked.path == "/5" else http_answer("", 302, Location=f"/{int(asked.path[1:]) + 1}")
    ]
    with IncidentFeed(f"{site.url}/0") as feed:
        assert titles(feed) == ["Down"]


def test_redirect_loop(site: Site, feed: IncidentFeed) -> None:
    """A redirect loop ends."""
    site.says("", 301, Location="/x.json")
    assert "must end in a page after at most 5 redirects, got more" in error_after_refresh(feed)
    assert len(site.asked) == 7


def test_nothing_there(site: Site) -> None:
    """An address where nothing is, is a fault of the configuration."""
    site.says("", 404)
    with pytest.raises(NoStatusPageError, match="HTTP 404: nothing is there"):
        IncidentFeed(f"{site.url}/x.json").start()


def test_headers_stay_with_their_host(site: Site, another_site: Site) -> None:
    """A key goes to the host that it was given for, and not to a second source or anywhere else."""
    site.says("", 500)
    second = another_site.url.replace("127.0.0.1", "localhost")
    feed = IncidentFeed(f"{site.url}/x", f"{second}/x", headers={"Authorization": "Bearer secret"})
    feed.refresh()
    feed.close()
    assert [asked.headers.get("authorization") for asked in (*site.asked, *another_site.asked)] == [
        "Bearer secret",
        None,
    ]


def test_error_hides_secrets(site: Site) -> None:
    """What may be a secret in an address is left out of errors."""
    site.says("", 500)
    address = f"{site.url.replace('//', '//user:password@')}/x.json?key=secret#also"
    feed = IncidentFeed(address)
    with pytest.raises(IncidentFeedError, match=re.escape(f"{site.url}/x.json could not be read: HTTP 500")) as caught:
        feed.refresh(check=True)
    feed.close()
    assert not {"password", "secret", "also"} & set(re.split(r"\W", str(caught.value)))


def test_no_cookies(site: Site) -> None:
    """Cookies are not kept: a server could send a new one each time."""
    site.says(DOWN, Set_Cookie="a=b")
    feed = IncidentFeed(f"{site.url}/x.json")
    feed.refresh()
    feed.refresh()
    feed.close()
    assert "cookie" not in site.asked[1].headers


def conditions(asked: Asked) -> tuple[str | None, str | None]:
    """Return under which conditions a request wants an answer."""
    return asked.headers.get("if-none-match"), asked.headers.get("if-modified-since")


def test_not_modified(site: Site) -> None:
    """What has not changed is not sent again, and counts as read now."""
    site.says(DOWN, ETag='"v1"', Last_Modified="Mon, 23 Nov 2026 10:00:00 GMT")
    feed = IncidentFeed(f"{site.url}/x.json")
    first = feed.refresh()
    site.sends(b"HTTP/1.1 304 Not Modified\r\n\r\n")
    second = feed.refresh()
    feed.close()
    assert [conditions(asked) for asked in site.asked] == [
        (None, None),
        ('"v1"', "Mon, 23 Nov 2026 10:00:00 GMT"),
    ]
    assert (second.incidents, second.error) == (first.incidents, "")
    assert second.fetched_at > first.fetched_at


def tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return what a server needs to be one of these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def read_over_tls(context: ssl.SSLContext, body: bytes) -> IncidentFeed:
    """Return a closed feed that asked a server once."""
    with serving(lambda plain: context.wrap_socket(plain, server_side=True), "https") as secure:
        secure.sends(body)
        feed = IncidentFeed(f"{secure.url}/x.json", timeout_seconds=5)
        feed.refresh()
        feed.close()
    return feed


def test_certificate(authority: trustme.CA) -> None:
    """A certificate of a trusted authority for the right name is accepted."""
    assert titles(read_over_tls(tls(authority, "127.0.0.1"), http_answer(DOWN))) == ["Down"]


def test_wrong_name(authority: trustme.CA) -> None:
    """A certificate for another name is refused."""
    feed = read_over_tls(tls(authority, "status.acme.example"), http_answer(DOWN))
    assert "certificate verify failed" in feed.snapshot.error.lower()
    assert titles(feed) == []


def test_unknown_authority() -> None:
    """A certificate of an authority that nobody knows is refused."""
    feed = read_over_tls(tls(trustme.CA(), "127.0.0.1"), http_answer(DOWN))
    assert "certificate verify failed" in feed.snapshot.error.lower()


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the look-ups of a name that has a public address once, and a private one ever after.

    127.0.0.1 plays the public address, for there is no other that a test may ask.
    """
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def rebound(host: str, port: int | str | None, *more: int, **options: int) -> list[object]:
        if host != "elsewhere.example":
            return look_up(host, port, *more, **options)
        asked.append(host)
        return look_up("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    monkeypatch.setattr(fetch, "_is_public", {"127.0.0.1": True, "127.0.0.2": False}.__getitem__)
    return asked


def test_rebinding(site: Site, another_site: Site, look_ups: list[str]) -> None:
    """A redirect is followed to the address that was checked: the name is not looked up again."""
    target = another_site.url.replace("127.0.0.1", "elsewhere.example")
    site.says("", 302, Location=f"{target}/x.json")
    another_site.says(DOWN)
    with IncidentFeed(f"{site.url}/x.json") as feed:
        assert titles(feed) == ["Down"]
    assert (len(look_ups), another_site.asked[0].headers["host"]) == (1, urlsplit(target).netloc)


def test_rebinding_between_redirects(site: Site, another_site: Site, look_ups: list[str]) -> None:
    """Each redirect is checked anew, also one on the same other host."""
    site.says("", 302, Location=another_site.url.replace("127.0.0.1", "elsewhere.example"))
    another_site.says("", 302, Location="/x.json")
    feed = IncidentFeed(f"{site.url}/x.json")
    assert "must not be redirected to elsewhere.example, whose address is not public" in feed.refresh().error
    feed.close()
    assert len(look_ups) == 2


def test_certificate_of_the_name(authority: trustme.CA, look_ups: list[str]) -> None:
    """At the address that was checked, the certificate must still be that of the name."""
    for name, expected in {"elsewhere.example": ["Down"], "127.0.0.1": []}.items():
        look_ups.clear()
        context = tls(authority, name)
        with serving(lambda plain, context=context: context.wrap_socket(plain, server_side=True), "https") as there:
            there.says(DOWN)
            target = there.url.replace("127.0.0.1", "elsewhere.example")
            feed = read_over_tls(tls(authority, "127.0.0.1"), http_answer("", 302, Location=f"{target}/x.json"))
        assert titles(feed) == expected


def test_no_way_down(authority: trustme.CA, site: Site) -> None:
    """A redirect from https to http is refused: anybody on the way could write the answer."""
    feed = read_over_tls(tls(authority, "127.0.0.1"), http_answer("", 302, Location=f"{site.url}/x.json"))
    assert "must not be redirected from https to http" in feed.snapshot.error
    assert site.asked == []
