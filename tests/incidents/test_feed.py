"""The feed: what it holds, when it asks, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loopback import Asked, Site, http_answer

from deflect.errors import IncidentFeedError, NoStatusPageError, ParameterError
from deflect.incidents import IncidentFeed, Snapshot

SUMMARY = json.dumps({"page": {"name": "Acme"}, "status": {"indicator": "none"}, "incidents": []})


def file_with(*titles: str) -> str:
    """Return an operator's file with incidents of these titles."""
    return json.dumps({"incidents": [{"id": title, "title": title} for title in titles]})


def titles(snapshot: Snapshot) -> list[str]:
    """Return the titles of the incidents that are not over."""
    return [incident.title for incident in snapshot.incidents if not incident.is_over]


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that must happen, and fail if it does not."""
    for _ in range(3_000):
        if happened():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen")


def n_threads() -> int:
    """Return how many threads of feeds there are."""
    return sum(thread.name.startswith("deflect-incidents") for thread in threading.enumerate())


def test_never_asked() -> None:
    """A feed that was never asked to read knows nothing, says so, and runs no thread."""
    feed = IncidentFeed("https://status.acme.example")
    assert feed.snapshot == Snapshot(stale=True)
    assert n_threads() == 0


def test_background(site: Site) -> None:
    """A started feed learns by itself what is new."""
    with IncidentFeed(f"{site.url}/x", interval_seconds=0.05) as feed:
        site.says(file_with("Down"))
        wait_until(lambda: titles(feed.snapshot) == ["Down"])


def test_background_survives_trouble(site: Site) -> None:
    """A started feed goes on asking after errors."""
    with IncidentFeed(f"{site.url}/x", interval_seconds=0.02) as feed:
        site.sends(b"nonsense")
        wait_until(lambda: feed.snapshot.error != "")
        site.says(file_with("Down"))
        wait_until(lambda: titles(feed.snapshot) == ["Down"] and feed.snapshot.error == "")


def test_start_without_waiting(site: Site) -> None:
    """With check=False, starting does not wait for the page."""
    site.answer = lambda _: [b""] * (site.released.wait(30) and 1)
    feed = IncidentFeed(f"{site.url}/x", timeout_seconds=30).start(check=False)
    wait_until(lambda: len(site.asked) == 1)
    assert feed.snapshot.fetched_at is None
    feed.close()


def test_reading_does_not_wait(site: Site) -> None:
    """While the page hangs, the snapshot can be read as often as one likes."""
    site.says(file_with("Down"))
    with IncidentFeed(f"{site.url}/x", interval_seconds=0.01, timeout_seconds=30) as feed:
        site.answer = lambda _: [b""] * (site.released.wait(30) and 1)
        wait_until(lambda: len(site.asked) == 2)
        assert {tuple(titles(feed.snapshot)) for _ in range(10_000)} == {("Down",)}


def test_no_status_page_at_start(site: Site) -> None:
    """What is no status page is an error at the start, and leaves no thread behind."""
    site.says("<html>Hi</html>")
    with pytest.raises(NoStatusPageError, match="no status page that deflect knows"):
        IncidentFeed(f"{site.url}/x").start()
    assert n_threads() == 0


def test_silent_page_at_start(site: Site) -> None:
    """A page that is down is no error at the start: the form starts, and the snapshot says it."""
    site.says("", status=503)
    with IncidentFeed(f"{site.url}/x", interval_seconds=1000) as feed:
        assert (feed.snapshot.stale, feed.snapshot.error) == (True, f"{site.url}/x could not be read: HTTP 503")


def test_refresh_checks(site: Site) -> None:
    """On demand, a reading that failed is raised."""
    site.says("", status=503)
    feed = IncidentFeed(f"{site.url}/x")
    with pytest.raises(IncidentFeedError, match="HTTP 503"):
        feed.refresh(check=True)
    feed.close()


def test_refresh_async(site: Site) -> None:
    """A coroutine can wait for a reading without blocking its event loop."""
    site.says(file_with("Down"))

    async def read() -> Snapshot:
        feed = IncidentFeed(f"{site.url}/x")
        snapshot, _ = await asyncio.gather(feed.refresh_async(check=True), asyncio.sleep(0))
        feed.close()
        return snapshot

    assert titles(asyncio.run(read())) == ["Down"]


def test_many_at_once(site: Site) -> None:
    """Threads that refresh at once all get the same, one reading after another."""
    site.says(file_with("Down"))
    feed = IncidentFeed(f"{site.url}/x")
    found: list[Snapshot] = []
    threads = [threading.Thread(target=lambda: found.append(feed.refresh())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    feed.close()
    assert [titles(snapshot) for snapshot in found] == [["Down"]] * 8


def test_close(site: Site) -> None:
    """Closing ends the thread, twice is as good as once, the snapshot stays, and one may start again."""
    site.says(file_with("Down"))
    feed = IncidentFeed(f"{site.url}/x").start()
    feed.close()
    feed.close()
    assert (n_threads(), titles(feed.snapshot)) == (0, ["Down"])
    site.says(file_with("Up"))
    with feed:
        assert titles(feed.snapshot) == ["Up"]
    assert n_threads() == 0


def test_start_twice(site: Site) -> None:
    """Starting a feed that runs starts nothing more."""
    with IncidentFeed(f"{site.url}/x", interval_seconds=1000) as feed:
        n_before = n_threads()
        feed.start()
        assert n_threads() == n_before


def test_stale_from_disk(tmp_path: Path) -> None:
    """What was read long ago is stale, and still there."""
    page, kept = tmp_path / "page.json", tmp_path / "kept.json"
    page.write_text(file_with("Down"))
    with IncidentFeed(page, cache_path=kept):
        pass
    content = json.loads(kept.read_text())
    content["fetched_at"] = (datetime.now(UTC) - timedelta(minutes=11)).isoformat()
    kept.write_text(json.dumps(content))
    feed = IncidentFeed(page, cache_path=kept)
    assert (feed.snapshot.stale, titles(feed.snapshot)) == (True, ["Down"])
    assert IncidentFeed(page, cache_path=kept, stale_seconds=3600).snapshot.stale is False


def test_becomes_stale(tmp_path: Path) -> None:
    """A snapshot becomes stale by itself, without a new reading."""
    page = tmp_path / "page.json"
    page.write_text(file_with("Down"))
    feed = IncidentFeed(page, stale_seconds=0.3)
    assert feed.refresh().fetched_at is not None
    wait_until(lambda: feed.snapshot.stale)
    assert titles(feed.snapshot) == ["Down"]
    feed.close()


def test_restart(site: Site, tmp_path: Path) -> None:
    """A snapshot on disk survives a restart, though the page is down by then."""
    site.says(file_with("Down"))
    kept = tmp_path / "kept.json"
    with IncidentFeed(f"{site.url}/x", cache_path=kept) as feed:
        first = feed.snapshot
    site.says("", status=500)
    feed = IncidentFeed(f"{site.url}/x", cache_path=kept)
    assert feed.snapshot == first
    assert titles(feed.refresh()) == ["Down"]
    feed.close()


def test_cache_that_is_no_file(site: Site, tmp_path: Path) -> None:
    """What is no file, as /dev/null is none, is left in its place."""
    site.says(file_with("Down"))
    os.mkfifo(tmp_path / "pipe")
    feed = IncidentFeed(f"{site.url}/x", cache_path=tmp_path / "pipe")
    assert titles(feed.refresh()) == ["Down"]
    assert feed.snapshot.error == f"{tmp_path / 'pipe'} could not be written: it is no file"
    feed.close()
    assert (tmp_path / "pipe").is_fifo()


def test_restart_behind_an_error_page(site: Site, tmp_path: Path) -> None:
    """A web page in place of the status page is no mistake where the cache proves that there was one."""
    site.says(file_with("Down"))
    kept = tmp_path / "kept.json"
    with IncidentFeed(f"{site.url}/x", cache_path=kept):
        pass
    site.says("<html>We are down.</html>")
    with IncidentFeed(f"{site.url}/x", cache_path=kept) as feed:
        assert titles(feed.snapshot) == ["Down"]
        assert "no status page" in feed.snapshot.error


def test_anothers_cache(site: Site, tmp_path: Path) -> None:
    """What another feed kept on disk is not taken for this one's."""
    site.says(file_with("Down"))
    kept = tmp_path / "kept.json"
    with IncidentFeed(f"{site.url}/x", cache_path=kept):
        pass
    assert IncidentFeed(f"{site.url}/y", cache_path=kept).snapshot == Snapshot(stale=True)


def test_disk_trouble(site: Site, tmp_path: Path) -> None:
    """A cache that cannot be written is said, and stops nothing."""
    site.says(file_with("Down"))
    kept = tmp_path / "folder" / "kept.json"
    kept.parent.mkdir()
    feed = IncidentFeed(f"{site.url}/x", cache_path=kept)
    kept.parent.rmdir()
    snapshot = feed.refresh(check=True)
    feed.close()
    assert titles(snapshot) == ["Down"]
    assert snapshot.error.endswith("kept.json could not be written: No such file or directory")


def test_second_source(site: Site, another_site: Site) -> None:
    """When the first source fails the second counts, and when the first is back it counts again."""
    site.says("", status=500)
    another_site.says(file_with("Seen elsewhere"))
    feed = IncidentFeed(f"{site.url}/x", f"{another_site.url}/x")
    snapshot = feed.refresh()
    assert (titles(snapshot), snapshot.error, snapshot.incidents[0].source) == (
        ["Seen elsewhere"],
        "",
        f"{another_site.url}/x",
    )
    site.says(file_with("Seen here"))
    assert titles(feed.refresh()) == ["Seen here"]
    feed.close()


def test_all_sources_fail(site: Site, tmp_path: Path) -> None:
    """When all sources fail, the error names each."""
    site.says("", status=500)
    feed = IncidentFeed(f"{site.url}/x", tmp_path / "none.json")
    error = feed.refresh().error
    feed.close()
    assert error == (
        f"{site.url}/x could not be read: HTTP 500; {tmp_path}/none.json could not be read: No such file or directory"
    )


def trust(asked: Asked) -> Iterable[bytes]:
    """Answer as Heroku's page that is down, and as its failover that is up."""
    incident = {"id": 1, "instanceKeys": ["EU"], "serviceKeys": ["HerokuApps"], "IncidentImpacts": []}
    answers = {
        "/v1/incidents/active": [incident, {"id": 2, "instanceKeys": ["NA"]}],
        "/v1/instances?products=Heroku": [{"key": "EU", "location": "EMEA"}],
    }
    found = answers.get(asked.path)
    return [http_answer(json.dumps(found)) if found is not None else http_answer("", 500)]


def test_heroku_failover(site: Site) -> None:
    """When Heroku's own API fails, the incidents come from Salesforce, and only Heroku's."""
    site.answer = trust
    feed = IncidentFeed(f"{site.url}/api/v4/current-status", f"{site.url}/v1/incidents/active", provider="heroku")
    [incident] = feed.refresh(check=True).incidents
    feed.close()
    assert (incident.id, incident.components, incident.regions) == ("1", ("Apps",), ("EMEA",))
    assert "/v1/maintenances?product=Heroku" in [asked.path for asked in site.asked]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/v2/summary.json", SUMMARY),
        ("/index.json", '{"data": {"attributes": {"aggregate_state": "operational"}}}'),
        ("/summary.json", '{"page": {"status": "UP"}, "activeIncidents": []}'),
        ("/api/v1/summary", '{"ongoing_incidents": []}'),
        ("/history.atom", '<feed xmlns="http://www.w3.org/2005/Atom"/>'),
        ("/", SUMMARY),
    ],
)
def test_host_alone(site: Site, path: str, answer: str) -> None:
    """Of a page whose host alone is given, the answer is found; from then on it alone is asked for."""
    site.answer = lambda asked: [http_answer(answer) if asked.path == path else http_answer("<html></html>", 404)]
    feed = IncidentFeed(site.url)
    assert feed.refresh(check=True).overall == "none"
    n_asked = len(site.asked)
    feed.refresh(check=True)
    feed.close()
    assert [asked.path for asked in site.asked[n_asked:]] == [path]


def test_host_without_status_page(site: Site) -> None:
    """A host that has no status page anywhere is refused, with where it was looked for."""
    site.says("<html>Welcome</html>")
    with pytest.raises(NoStatusPageError, match=r"found none at /, /index\.json, .*/history\.atom"):
        IncidentFeed(site.url).start()


def test_named_provider(site: Site) -> None:
    """Of a named provider, its own path is asked for and no other."""
    site.says(SUMMARY)
    with IncidentFeed(site.url, provider="statuspage", interval_seconds=1000):
        pass
    assert [asked.path for asked in site.asked] == ["/api/v2/summary.json"]


def test_vanished_incident(site: Site) -> None:
    """An incident that the page no longer lists stays as resolved for the grace time."""
    site.says(file_with("Down"))
    feed = IncidentFeed(f"{site.url}/x")
    feed.refresh()
    site.says(file_with())
    [incident] = feed.refresh().incidents
    feed.close()
    assert (incident.title, incident.state, incident.is_over) == ("Down", "resolved", True)
    assert incident.resolved_at == feed.snapshot.fetched_at


def test_no_grace(site: Site) -> None:
    """Without a grace time, an incident that is over goes with the next reading."""
    site.says(file_with("Down"))
    feed = IncidentFeed(f"{site.url}/x", grace_seconds=0)
    feed.refresh()
    site.says(file_with())
    feed.refresh()
    assert feed.refresh().incidents == ()
    feed.close()


def gaps(site: Site, n: int) -> list[float]:
    """Return the seconds between the first requests of a site."""
    times: list[float] = []

    def answer(_: Asked) -> Iterable[bytes]:
        times.append(time.monotonic())
        return [http_answer("", 503)]

    site.answer = answer
    with IncidentFeed(f"{site.url}/x", interval_seconds=0.05):
        wait_until(lambda: len(times) > n)
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def test_back_off(site: Site) -> None:
    """After each failure the feed waits twice as long, give or take a fifth."""
    waits = gaps(site, 4)
    assert all(wait > 0.8 * 0.05 * 2**i for i, wait in enumerate(waits, 1))


def test_retry_after(site: Site) -> None:
    """A server that asks for time gets it."""
    site.says("", status=429, Retry_After="1000")
    with IncidentFeed(f"{site.url}/x", interval_seconds=0.01):
        time.sleep(0.3)
        assert len(site.asked) == 1


FORK = """
import os, sys, time
from deflect.incidents import IncidentFeed
with IncidentFeed(sys.argv[1], interval_seconds=0.05) as feed:
    child = os.fork()
    if child == 0:
        before = feed.snapshot.fetched_at
        for _ in range(1000):
            time.sleep(0.01)
            if feed.snapshot.fetched_at > before:
                feed.close()
                os._exit(0)
        os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    before = feed.snapshot.fetched_at
    while feed.snapshot.fetched_at == before:
        time.sleep(0.01)
sys.exit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork(site: Site) -> None:
    """After a fork, parent and child both go on, each with a thread of its own."""
    done = subprocess.run([sys.executable, "-c", FORK, f"{site.url}/x"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


FORGOTTEN = """
import sys
from deflect.incidents import IncidentFeed
feed = IncidentFeed(sys.argv[1], interval_seconds=0.01).start()
print(len(feed.snapshot.incidents))
"""


def test_forgotten_feed(site: Site) -> None:
    """A feed that nobody closed does not keep the process from ending, or complain."""
    site.says(file_with("Down"))
    command = [sys.executable, "-W", "error", "-c", FORGOTTEN, f"{site.url}/x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_no_growth(site: Site) -> None:
    """Hundreds of readings, good and bad, start no more threads."""
    with IncidentFeed(f"{site.url}/x", interval_seconds=1000, timeout_seconds=5) as feed:
        n_before = n_threads()
        for sent in (http_answer(file_with("Down")), b"nonsense", http_answer("", 500)) * 100:
            site.sends(sent)
            feed.refresh()
        assert n_threads() == n_before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interval_seconds": 0}, "interval_seconds must be above 0 and finite. Got 0 instead"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds must be above 0"),
        ({"stale_seconds": -1}, "stale_seconds must be 0 or more"),
        ({"grace_seconds": float("inf")}, "grace_seconds must be 0 or more and finite"),
        ({"max_bytes": 0}, "max_bytes must be above 0"),
        ({"provider": "nagios"}, "provider must be one of"),
        ({"cache_path": "/no/such/folder/x.json"}, "cache_path must be a file in a directory that exists"),
    ],
)
def test_wrong_argument(arguments: dict[str, object], message: str) -> None:
    """An argument outside what it may be is refused."""
    with pytest.raises(ParameterError, match=message):
        IncidentFeed("https://status.acme.example", **arguments)


@pytest.mark.parametrize("address", ["", "ftp://x.example", "http://", "https:// x", "data:x://y", "file://"])
def test_wrong_address(address: str) -> None:
    """An address that cannot be a status page's is refused."""
    with pytest.raises(ParameterError, match="A status page must be an http, https or file address, or a path"):
        IncidentFeed(address)
