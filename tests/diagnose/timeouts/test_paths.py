"""Templates of paths."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deflect.diagnose.timeouts.paths import merged, template, without_common_ids

UUID = "123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("", "/"),
        ("/health", "/health"),
        ("/users/42", "/users/{id}"),
        ("/users/42?page=2", "/users/{id}"),
        ("/users/42#top", "/users/{id}"),
        ("/users/42;jsessionid=ABC", "/users/{id}"),
        ("//users///42/", "/users/{id}/"),
        (f"/carts/{UUID}/items", "/carts/{id}/items"),
        (f"/carts/{UUID.upper()}", "/carts/{id}"),
        (f"/files/user-{UUID}.png", "/files/user-{id}.png"),
        ("/commits/3fa9c21b", "/commits/{id}"),
        ("/commits/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/commits/{id}"),
        ("/assets/application-3fa9c21b7d.js", "/assets/application-{id}.js"),
        ("/reports/2024-05-17", "/reports/{date}"),
        ("/reports/2024-05", "/reports/{date}"),
        ("/backups/backup-2024-05-17.zip", "/backups/backup-{date}.zip"),
        ("/blog/2024/05/17/hello", "/blog/{id}/{id}/{id}/hello"),
        ("/u/ann.lee+x@example.com/orders", "/u/{email}/orders"),
        ("/u/ann%40example.com", "/u/{email}"),
        ("/reset/eyJhbGciOi.eyJzdWIiOi.SflKxwRJSM", "/reset/{id}"),
        ("/invite/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/invite/{id}"),
        ("/invite/dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "/invite/{id}"),
        ("/customers/cus_9s6XKzkNRiz8i3", "/customers/cus_{id}"),
        ("/invoices/invoice-48291.pdf", "/invoices/invoice-{id}.pdf"),
        ("/at/52.1,13.4", "/at/{id}"),
        ("/api/v1/users", "/api/v1/users"),
        ("/oauth2/callback", "/oauth2/callback"),
        ("/s3/sha256", "/s3/sha256"),
        ("/endpoint17/list", "/endpoint17/list"),
        ("/feed/dead/beef/facade", "/feed/dead/beef/facade"),
        ("/how-to-deploy-2-apps-in-3-easy-steps", "/how-to-deploy-2-apps-in-3-easy-steps"),
        ("/internationalization", "/internationalization"),
        ("/\u043e\u0442\u0447\u0451\u0442\u044b/42", "/\u043e\u0442\u0447\u0451\u0442\u044b/{id}"),
        ("/a\x1b[31m\u202eb", "/a\ufffd[31m\ufffdb"),
    ],
)
def test_templates(path: str, expected: str) -> None:
    """What varies becomes a word, what is code of the app stays."""
    assert template(path) == expected


@given(st.text(max_size=400))
def test_templates_are_short_and_printable(path: str) -> None:
    """Whatever was asked for, its template can be shown, and is one's own template."""
    shown = template(path)
    assert shown.isprintable()
    assert len(shown) <= 160


segments = st.one_of(
    st.integers(0, 10**9).map(str),
    st.text("abcdefghij", min_size=1, max_size=8),
    st.integers(0, 10**6).map("item-{}.pdf".format),
    st.integers(16**7, 16**20).map("{:x}".format),
    st.uuids().map(str),
    st.dates().map(str),
)


@example(["/57308774-e8ba-a89d-fd2a-ba4153bbcf64"])  # A UUID that begins like a number.
@given(st.lists(st.lists(segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), max_size=9))
def test_common_ids_first_changes_nothing(paths: list[str]) -> None:
    """Mending the usual ids of many paths in one go leads to the same templates."""
    quick = without_common_ids("".join(f"{path}\n" for path in paths).encode())
    assert [template(path.decode()) for path in quick] == [template(path) for path in paths]


def test_many_rare_routes_are_one() -> None:
    """The titles of a blog are one route; what is asked for often stays apart, and so do a few."""
    titles = [f"GET /blog/{chr(97 + i % 26)}{chr(97 + i // 26)}-title" for i in range(60)]
    routes = ["other", "GET /blog/popular", "GET /about/us", "GET /about/you", *titles]
    names, numbers = merged(routes, [0, 500, 3, 3, *[2] * 60])
    assert names == ["other", "GET /blog/popular", "GET /about/us", "GET /about/you", "GET /blog/{slug}"]
    assert numbers == [0, 1, 2, 3, *[4] * 60]


def test_many_numbered_routes_are_one() -> None:
    """Rare routes that differ in a number are one."""
    assert merged([f"GET /item{i}/show" for i in range(99)], [1] * 99)[0] == ["GET /item{id}/show"]


def test_numbered_routes_with_requests_stay() -> None:
    """Routes with a number in their name that are asked for often are not one."""
    assert len(merged([f"GET /endpoint{i}" for i in range(140)], [100] * 140)[0]) == 140
