"""Playbooks: what they say, what is wrong with them, and where."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.errors import PlaybookError
from deflect.line.playbook import (
    Advice,
    Article,
    Entry,
    Playbook,
    Tool,
    load_playbook,
    parse_playbook,
)
from deflect.line.playbook_check import check_playbook

HEAD = "format = 1\n"
DNS = HEAD + '[categories.dns]\nowner = "networking"\nreviewed_on = 2026-11-01\nlead = "Check the records."\n'
ARTICLE = '[[categories.dns.articles]]\ntitle = "Domains"\nurl = "https://example.com/a"\nsummary = "How to."\n'
TOOL = '[categories.dns.tool]\nname = "DNS check"\n'
CATEGORIES = {
    "dns",
    "tls-certificate",
    "incident",
    "asset-caching",
    "timeout",
    "memory",
    "boot-crash",
    "build-failure",
    "database",
    "billing",
    "account-access",
    "other",
}


def faults(text: str) -> tuple[str, ...]:
    """Return the faults of a playbook that has some."""
    with pytest.raises(PlaybookError) as caught:
        parse_playbook(text)
    return caught.value.faults


def test_a_whole_entry() -> None:
    """Every part of an entry is read."""
    text = DNS + ARTICLE + TOOL + 'url = "https://example.com/?d={domain}"\nparameters = ["domain"]\n'
    assert parse_playbook(text).entries["dns"] == Entry(
        category="dns",
        mode="auto",
        owner="networking",
        reviewed_on=date(2026, 11, 1),
        lead="Check the records.",
        articles=(Article("Domains", "https://example.com/a", "How to."),),
        tool=Tool("DNS check", url="https://example.com/?d={domain}", parameters=("domain",)),
    )


def test_out_of_scope_is_optional() -> None:
    """A playbook without out_of_scope has None for it, and one with it has the category."""
    assert parse_playbook(DNS).out_of_scope is None
    assert parse_playbook('out_of_scope = "other"\n' + DNS).out_of_scope == "other"


def test_never_needs_no_lead() -> None:
    """An entry whose mode is never needs an owner and a review, and no lead."""
    entry = parse_playbook(DNS.replace('lead = "Check the records."', 'mode = "never"')).entries["dns"]
    assert (entry.mode, entry.lead) == ("never", "")


def test_a_built_in_diagnosis() -> None:
    """A tool may name a built-in diagnosis, with parameters of its own."""
    tool = parse_playbook(DNS + TOOL + 'diagnosis = "dns"\nparameters = ["domain"]\n').entries["dns"].tool
    assert tool == Tool("DNS check", diagnosis="dns", parameters=("domain",))


def test_playbooks_can_be_sent_to_other_processes() -> None:
    """A playbook survives pickling, which joblib does when it shares a deflector."""
    playbook = parse_playbook(DNS + ARTICLE)
    assert pickle.loads(pickle.dumps(playbook)) == playbook  # noqa: S301 - the test wrote it itself.


@pytest.mark.parametrize(
    ("parameters", "link"),
    [
        ({"domain": "a.example", "app": "x"}, "https://example.com/x?d=a.example"),
        ({"domain": "b&c=/ü{app}", "app": "x"}, "https://example.com/x?d=b%26c%3D%2F%C3%BC%7Bapp%7D"),
        ({"domain": "a.example"}, None),
        ({"domain": "a.example", "app": ""}, None),
    ],
)
def test_links_of_tools(parameters: dict[str, str], link: str | None) -> None:
    """A tool's link has every parameter, escaped; there is none while one is missing."""
    tool = Tool("DNS check", url="https://example.com/{app}?d={domain}", parameters=("app", "domain"))
    assert tool.link(parameters) == link


def test_diagnoses_have_no_link() -> None:
    """A tool without a url has no link."""
    assert Tool("DNS check", diagnosis="dns", parameters=("domain",)).link({"domain": "a.example"}) is None


# Locales

LOCALES = (
    DNS
    + '[categories.dns.locales.de]\nlead = "Hallo."\n[categories.dns.locales.de-AT]\nlead = "Servus."\n'
    + ARTICLE
    + '[categories.dns.articles.locales.de]\ntitle = "Domains auf Deutsch"\n'
    + '[categories.dns.articles.locales.fr]\nurl = "https://example.com/fr"\n'
)


@pytest.mark.parametrize(
    ("locale", "lead", "title", "page"),
    [
        (None, "Check the records.", "Domains", "a"),
        ("", "Check the records.", "Domains", "a"),
        ("de", "Hallo.", "Domains auf Deutsch", "a"),
        ("de-CH", "Hallo.", "Domains auf Deutsch", "a"),
        ("de_AT.UTF-8", "Hallo.", "Domains auf Deutsch", "a"),
        ("DE_at", "Servus.", "Domains auf Deutsch", "a"),
        ("fr-FR", "Check the records.", "Domains", "fr"),
        ("den", "Check the records.", "Domains", "a"),
        ("-" * 1_000_000, "Check the records.", "Domains", "a"),
    ],
)
def test_for_locale(locale: str | None, lead: str, title: str, page: str) -> None:
    """A locale falls back to its language and then to the default, for each text by itself."""
    advice = parse_playbook(LOCALES).entries["dns"].for_locale(locale)
    assert advice == Advice(lead, (Article(title, f"https://example.com/{page}", "How to."),), None)


def test_the_tool_is_the_same_in_every_locale() -> None:
    """The tool comes along in every locale."""
    entry = parse_playbook(LOCALES + TOOL + 'diagnosis = "dns"\n').entries["dns"]
    assert entry.for_locale("de").tool == entry.tool == Tool("DNS check", diagnosis="dns")


@given(st.text())
def test_for_locale_takes_any_text(locale: str) -> None:
    """No locale makes it raise."""
    assert parse_playbook(LOCALES).entries["dns"].for_locale(locale).articles != ()


# Faults

ENTRY = '[categories.dns]\nowner = "x"\nreviewed_on = 2026-11-01\nlead = "x"\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ENTRY, "format must be 1, the only format that this version reads, got nothing"),
        ("format = 2\n" + ENTRY, "format must be 1, the only format that this version reads, got 2"),
        ("format = true\n" + ENTRY, "format must be 1, the only format that this version reads, got true"),
        ("format = 1.0\n" + ENTRY, "format must be 1, the only format that this version reads, got 1.0"),
        (HEAD + "out_of_scope = 3\n" + ENTRY, "out_of_scope must be a text that is not empty, got 3"),
        (HEAD, "categories must be a table with at least one category, got nothing"),
        (HEAD + "categories = {}", "categories must be a table with at least one category, got a table"),
        (HEAD + "categories = [1]", "categories must be a table, got a list"),
        (HEAD + "[categories]\ndns = 'x'", "categories.dns must be a table, got 'x'"),
        (
            HEAD + "colour = 'red'\n" + ENTRY,
            "colour must be one of the keys format, out_of_scope, categories, entities, got 'colour'",
        ),
        (
            DNS + "onwer = 'x'",
            (
                "categories.dns.onwer must be one of the keys "
                "mode, owner, reviewed_on, lead, locales, articles, tool, got 'onwer'"
            ),
        ),
        (
            DNS + ARTICLE + "text = 'x'",
            "categories.dns.articles[0].text must be one of the keys title, url, summary, locales, got 'text'",
        ),
        (
            DNS + TOOL + "diagnosis = 'dns'\nlink = 'x'",
            "categories.dns.tool.link must be one of the keys name, url, diagnosis, parameters, got 'link'",
        ),
        (
            DNS + "locales.de.title = 'x'",
            "categories.dns.locales.de.title must be one of the keys lead, got 'title'",
        ),
        (DNS.replace('"networking"', "[]"), "categories.dns.owner must be a text that is not empty, got []"),
        (
            DNS.replace('owner = "networking"\n', ""),
            "categories.dns.owner must be a text that is not empty, got nothing",
        ),
        (DNS.replace("Check the records.", "  "), "categories.dns.lead must be a text that is not empty, got '  '"),
        (DNS + "mode = 'maybe'", "categories.dns.mode must be one of auto, never, always, got 'maybe'"),
        (DNS + "mode = {}", "categories.dns.mode must be one of auto, never, always, got a table"),
        (
            DNS.replace("2026-11-01", "'2026-11-01'"),
            "categories.dns.reviewed_on must be a date like 2026-11-23, without quotes, got '2026-11-01'",
        ),
        (
            DNS.replace("2026-11-01", "2026-11-01T10:00:00Z"),
            "categories.dns.reviewed_on must be a date like 2026-11-23, without quotes, got 2026-11-01 10:00:00+00:00",
        ),
        (
            DNS + ARTICLE + ARTICLE.replace("Domains", ""),
            "categories.dns.articles[1].title must be a text that is not empty, got ''",
        ),
        (
            DNS + "articles = 'x'",
            "categories.dns.articles must be a list of tables, each headed [[categories.dns.articles]], got 'x'",
        ),
        (DNS + "tool = 'dig'", "categories.dns.tool must be a table, got 'dig'"),
        (DNS + TOOL, "categories.dns.tool must have exactly one of url and diagnosis, got neither"),
        (
            DNS + TOOL + "diagnosis = 'dns'\nurl = 'https://example.com'",
            "categories.dns.tool must have exactly one of url and diagnosis, got both",
        ),
        (
            DNS + TOOL + "diagnosis = 'mail'",
            "categories.dns.tool.diagnosis must be one of dns, assets, timeouts, got 'mail'",
        ),
        (
            DNS + TOOL + "diagnosis = 'dns'\nparameters = ['a', 'a']",
            "categories.dns.tool.parameters must be a list of different names like domain or app_id, got ['a', 'a']",
        ),
        (
            DNS + TOOL + "diagnosis = 'dns'\nparameters = [1]",
            "categories.dns.tool.parameters must be a list of different names like domain or app_id, got a list",
        ),
        (
            DNS + TOOL + "url = 'https://example.com/{app}/{domain}'\nparameters = ['domain']",
            "categories.dns.tool.parameters must be the names in the url, ['app', 'domain'], got ['domain']",
        ),
        (
            DNS + TOOL + "url = 'https://example.com/'\nparameters = ['domain']",
            "categories.dns.tool.parameters must be the names in the url, [], got ['domain']",
        ),
        (
            DNS + TOOL + "url = 'https://example.com/{App}'",
            (
                "categories.dns.tool.url must be an http or https URL with parameters like {domain}, "
                "got 'https://example.com/{App}'"
            ),
        ),
        (
            DNS + "locales.german.lead = 'x'",
            "categories.dns.locales.german must be named like de or de-AT, each once, got 'german'",
        ),
        (
            DNS + "locales.de-AT.lead = 'x'\nlocales.de_at.lead = 'y'",
            "categories.dns.locales.de_at must be named like de or de-AT, each once, got 'de_at'",
        ),
        (DNS.replace(".dns]", ".'']"), "categories.'' must have a name that is not empty, got ''"),
        (
            DNS + f"mode = 0x{'f' * 5000}",
            "categories.dns.mode must be one of auto, never, always, got a very large number",
        ),
    ],
)
def test_one_fault(text: str, fault: str) -> None:
    """A fault is reported alone, with its place, what must be there and what is."""
    assert faults(text) == (fault,)


@pytest.mark.parametrize(
    "url",
    [
        "example.com/a",
        "/a",
        "ftp://example.com/a",
        "javascript:alert(1)",
        "https://",
        "https://[::1",
        "https://example.com:port/",
        "https://example.com/a b",
        "https://example.com/{domain}",
        "https://example.com/\\n",
    ],
)
def test_article_urls(url: str) -> None:
    """The url of an article is a whole http or https URL, in the default text and in a locale."""
    fault = f"categories.dns.articles[0].url must be an http or https URL, got {url!r}"
    assert faults(DNS + ARTICLE.replace("https://example.com/a", url.replace("\\", "\\\\"))) == (fault,)
    assert faults(DNS + ARTICLE + f"locales.de.url = '{url}'") == (
        fault.replace("articles[0]", "articles[0].locales.de"),
    )


def test_nine_faults_in_one_error() -> None:
    """A playbook with nine faults raises one error that has all nine, each on its line, in the file's order."""
    text = """
format = 7
out_of_scope = false
[categories.dns]
mode = "sometimes"
reviewed_on = "yesterday"
lead = "Check the records."
[[categories.dns.articles]]
title = "Domains"
url = "example.com"
[categories.dns.tool]
name = "DNS check"
[categories.timeout]
owner = "runtime"
reviewed_on = 2026-11-01
leed = "Find the slow path."
lead = "Find the slow path."
"""
    with pytest.raises(PlaybookError, match="mine has 9 faults:\n  format must be 1") as caught:
        parse_playbook(text, "mine")
    assert [fault.split(" must ")[0] for fault in caught.value.faults] == [
        "format",
        "out_of_scope",
        "categories.dns.mode",
        "categories.dns.owner",
        "categories.dns.reviewed_on",
        "categories.dns.articles[0].url",
        "categories.dns.articles[0].summary",
        "categories.dns.tool",
        "categories.timeout.leed",
    ]


def test_toml_errors_have_a_line() -> None:
    """A TOML error is the only fault, and says where it is."""
    assert faults("format = 1\nowner = \n") == ("the playbook must be TOML, got: Invalid value (at line 2, column 9)",)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 5_000, "a = '\ud800'", "\0", "a.b=1\na=2"])
def test_text_that_breaks_parsers(text: str) -> None:
    """Text that is nested too deep, has a huge number or is no Unicode is one fault."""
    assert len(faults(text)) == 1


TOML_VALUES = st.recursive(
    st.sampled_from(
        ['""', '"x"', '"dns"', "1", "-0.5", "true", "2026-11-01", "10:00:00", '"https://x.org/{a}"', "nan"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["mode", "owner", "lead", "locales", "articles", "tool", "url", "de", "''", "parameters"]),
            inner,
            max_size=4,
        ).map(lambda items: f"{{{', '.join(f'{key} = {value}' for key, value in items.items())}}}")
    ),
    max_leaves=12,
)


@given(
    st.text() | st.text(alphabet='[]{}="\n.a1 ') | TOML_VALUES.map(lambda value: f"format = 1\ncategories = {value}")
)
def test_only_playbook_errors(text: str) -> None:
    """Whatever the text, it is a playbook or a PlaybookError with at least one fault."""
    try:
        playbook = parse_playbook(text)
    except PlaybookError as error:
        assert error.faults  # noqa: PT017 - either outcome is fine, and each has its own fact.
    else:
        assert playbook.source == text


# Files


def test_the_source_is_verbatim(tmp_path: Path) -> None:
    """A loaded playbook keeps its text to the byte, comments and line ends included, so that a bundle can store it."""
    text = "# Ours.\r\n" + DNS.replace("\n", "\r\n")
    (tmp_path / "playbook.toml").write_bytes(text.encode())
    playbook = load_playbook(tmp_path / "playbook.toml")
    assert playbook.source == text
    assert parse_playbook(playbook.source) == playbook


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """A file that Windows editors begin with a byte order mark is read."""
    path = tmp_path / "playbook.toml"
    path.write_text(DNS, encoding="utf-8-sig")
    assert load_playbook(path).source == DNS


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("missing.toml", "the playbook must be a file that can be read, got: No such file or directory"),
        ("folder", "the playbook must be a file that can be read, got: Is a directory"),
        ("latin.toml", "the playbook must be UTF-8, got another encoding in line 3"),
        ("huge.toml", "the playbook must be at most 5,000,000 bytes long, got more"),
        ("nul\0", "the playbook must be a file that can be read, got: embedded null byte"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, fault: str) -> None:
    """A file that cannot be read is a PlaybookError with one fault, which begins with the path."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.toml").write_bytes(b"format = 1\n\nowner = '\xfc'\n")
    (tmp_path / "huge.toml").write_bytes(b"#" * 5_000_001)
    with pytest.raises(PlaybookError) as caught:
        load_playbook(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name} has 1 fault:\n  {fault}"


# The starter playbook


@pytest.fixture(scope="module")
def starter(root: Path) -> Playbook:
    """Return the playbook that comes with the package."""
    return load_playbook(root / "data" / "playbook.toml")


def test_starter_categories(starter: Playbook) -> None:
    """The starter playbook fits the twelve starter categories, and keeps silent on what is out of scope."""
    assert set(starter.entries) == CATEGORIES
    assert (starter.out_of_scope, starter.entries["other"].mode) == ("other", "never")
    assert check_playbook(starter, sorted(CATEGORIES), today=date(2026, 11, 23)).is_fine


def test_starter_articles(starter: Playbook) -> None:
    """Every category that is answered has two or three articles, each on the help pages of a host or authority."""
    hosts = {"devcenter.heroku.com", "help.heroku.com", "status.heroku.com", "render.com", "letsencrypt.org"}
    answered = [entry for entry in starter.entries.values() if entry.mode != "never"]
    assert {len(entry.articles) for entry in answered} <= {2, 3}
    assert {urlsplit(article.url).hostname for entry in answered for article in entry.articles} <= hosts


def test_starter_tools(starter: Playbook) -> None:
    """Three tools look for themselves, and the one for incidents is the status page."""
    tools = {name: entry.tool for name, entry in starter.entries.items() if entry.tool is not None}
    assert {name: tool.diagnosis for name, tool in tools.items()} == {
        "dns": "dns",
        "asset-caching": "assets",
        "timeout": "timeouts",
        "incident": None,
    }
    assert tools["dns"].parameters == ("domain",)
    assert tools["incident"].url == "https://status.heroku.com/"


def test_starter_german(starter: Playbook) -> None:
    """The entries for dns and timeout speak German, down to every article."""
    for category in ("dns", "timeout"):
        english, german = (starter.entries[category].for_locale(locale) for locale in (None, "de-AT"))
        assert german.lead != english.lead
        assert all(here.title != there.title for here, there in zip(english.articles, german.articles, strict=True))
