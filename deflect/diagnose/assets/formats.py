"""Reads manifests: which file a build wrote for each asset."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

_YAML_PAIR = re.compile(
    r"^[ ]*"
    r"[\"']?([^\"'\s:][^\"':\n]{0,500})[\"']?"  # The logical name.
    r":[ ]+"
    r"[\"']?([^\"'\s][^\"'\n]{0,500}?)[\"']?"  # The file.
    r"[ \r]*$",
    re.MULTILINE,
)
_DIGEST = re.compile(
    r"[-.]"
    r"(?=[A-Za-z0-9_-]{0,63}[0-9A-Z])"  # Digests have a digit or a capital, words seldom.
    r"([0-9a-f]{8,64}|[A-Za-z0-9_-]{8})"  # MD5, SHA-1 and SHA-256, whole or cut; Vite's.
    r"(?=\.[a-z0-9.]{1,20}\Z)"  # In front of the ending.
)
#: How Laravel Mix writes a version.
_MIX_QUERY = re.compile(r"\?id=[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Listing:
    """The file of each asset, by its logical name, and the files of earlier builds that are still listed."""

    current: Mapping[str, str]
    older: frozenset[str] = frozenset()


class DamagedManifestError(Exception):
    """A manifest is not what its format allows."""


Table: TypeAlias = Mapping[str, object]


def read_listing(name: str, raw: bytes, folder: str) -> Listing | None:
    """Read a manifest of a format; None where the content shows that it is something else.

    ``folder`` is the name of the folder of the build.
    """
    if name in {"text", "output"}:
        return Listing({})
    if name == "yaml":
        return _yaml(raw)
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise DamagedManifestError(msg) from error
    except ValueError as error:  # No JSON, no UTF-8, or a number of more digits than Python converts.
        msg = "it begins with NUL bytes" if raw[:1] == b"\0" else "it is empty" if not raw.strip() else "it is not JSON"
        raise DamagedManifestError(msg) from error
    return _FORMATS[name](value, folder) if isinstance(value, dict) else None


def basename(path: str) -> str:
    """Return the name of a file, without folders, and without the query of a URL."""
    return re.split(r"[?#]", path, maxsplit=1)[0].rpartition("/")[2]


def without_digest(name: str) -> str | None:
    """Return a file's name with ``*`` for its digest, None where it has none.

    Examples
    --------
    >>> without_digest("application-0123456789abcdef0123456789abcdef.css"), without_digest("application.css")
    ('application-*.css', None)

    """
    found = _DIGEST.search(name[:300])
    return f"{name[: found.start(1)]}*{name[found.end(1) :]}" if found else None


def versions(urls: Iterable[str]) -> dict[str, set[str]]:
    """Return the versions of each file that carries one, by its name without it.

    Examples
    --------
    >>> versions(["/assets/app-0123456789abcdef0123456789abcdef.js", "/js/site.js?id=1a2b", "/logo.png"])
    {'app-*.js': {'app-0123456789abcdef0123456789abcdef.js'}, 'site.js?id=*': {'site.js?id=1a2b'}}

    """
    found: dict[str, set[str]] = {}
    for url in urls:
        name = basename(url)
        key, version = without_digest(name), name
        if key is None and (query := _MIX_QUERY.search(url)):
            key, version = f"{name}?id=*", f"{name}{query[0]}"
        if key is not None:
            found.setdefault(key, set()).add(version)
    return found


def is_local(url: str) -> bool:
    """Say whether a listed file lies with the app, and not on another host."""
    return "://" not in url and not url.startswith("//")


def _yaml(raw: bytes) -> Listing:
    if b"\0" in raw:
        msg = "it has NUL bytes"
        raise DamagedManifestError(msg)
    text = raw.decode("utf-8", "replace")
    return Listing({name: file for name, file in _YAML_PAIR.findall(text) if name != "---"})


def _sprockets(value: Table, _folder: str) -> Listing | None:
    files, assets = value.get("files"), value.get("assets")
    if not isinstance(files, dict) or not isinstance(assets, dict):
        return None
    current = _texts(assets)
    return Listing(current, frozenset(files) - frozenset(current.values()))


def _propshaft(value: Table, _folder: str) -> Listing:
    digested = {name: item.get("digested_path") if isinstance(item, dict) else item for name, item in value.items()}
    return Listing(_texts(digested))


def _webpack(value: Table, folder: str) -> Listing | None:
    """Read packs by their URL, which has the name of their folder in it: no other ``manifest.json`` is so."""
    urls = _texts({name: item.get("src") if isinstance(item, dict) else item for name, item in value.items()})
    return Listing(urls) if any(f"/{folder}/" in url for url in urls.values()) else None


def _encore(value: Table, folder: str) -> Listing | None:
    urls = _texts(value)
    return Listing(urls) if urls and all(name.startswith(f"{folder}/") for name in urls) else None


def _vite(value: Table, _folder: str) -> Listing | None:
    chunks = {name: item for name, item in value.items() if isinstance(item, dict) and "file" in item}
    if not chunks or len(chunks) != len(value):
        return None
    current = _texts({name: chunk["file"] for name, chunk in chunks.items()})
    for chunk in chunks.values():
        for extra in (chunk.get("css"), chunk.get("assets")):
            current |= {file: file for file in extra if isinstance(file, str)} if isinstance(extra, list) else {}
    return Listing(current)


def _mix(value: Table, _folder: str) -> Listing | None:
    urls = _texts(value)
    return Listing(urls) if all(name.startswith("/") for name in urls) else None


def _django(value: Table, _folder: str) -> Listing | None:
    return _under(value, "paths")


def _react(value: Table, _folder: str) -> Listing | None:
    return _under(value, "files")


def _phoenix(value: Table, _folder: str) -> Listing | None:
    latest, digests = _under(value, "latest"), value.get("digests")
    if latest is None or not isinstance(digests, dict):
        return latest
    return Listing(latest.current, frozenset(digests) - frozenset(latest.current.values()))


def _hanami(value: Table, _folder: str) -> Listing | None:
    urls = _texts({name: item.get("url") for name, item in value.items() if isinstance(item, dict)})
    return Listing(urls) if urls else None


def _next(_value: Table, _folder: str) -> Listing:
    return Listing({})


def _under(value: Table, key: str) -> Listing | None:
    inner = value.get(key)
    return Listing(_texts(inner)) if isinstance(inner, dict) else None


def _texts(value: Table) -> dict[str, str]:
    return {name: item for name, item in value.items() if isinstance(item, str) and item}


_FORMATS: Mapping[str, Callable[[Table, str], Listing | None]] = {
    "sprockets": _sprockets,
    "propshaft": _propshaft,
    "webpack": _webpack,
    "encore": _encore,
    "vite": _vite,
    "mix": _mix,
    "django": _django,
    "react": _react,
    "phoenix": _phoenix,
    "hanami": _hanami,
    "next": _next,
}
