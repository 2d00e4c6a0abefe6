"""A laboratory of DNS on loopback: real authoritative servers, a validating resolver, a lossy and a silent server."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from deflect.diagnose import Diagnosis, Network, diagnose_dns

#: Where each server listens. All use one port, for a delegation has no place for a port.
ADDRESSES = {
    "root": "127.0.0.11",
    "tld": "127.0.0.12",
    "a": "127.0.0.13",
    "b": "127.0.0.14",
    "s": "127.0.0.15",
    "l": "127.0.0.16",
    "c": "127.0.0.17",
    "p": "192.168.7.7",
}
PROGRAMS = ("nsd", "unbound", "ldns-keygen", "ldns-signzone")
LOST_FRACTION = 0.4

Zone = Mapping[str, str]


@dataclass(frozen=True)
class Laboratory:
    """Where the servers are."""

    port: int
    resolver: str

    def network(self, **changes: object) -> Network:
        """Return what to ask, and how."""
        root = f"{ADDRESSES['root']}:{self.port}"
        options = {"resolvers": (self.resolver,), "roots": (root,), "server_port": self.port, "allow_private": True}
        return Network(**{**options, "timeout_seconds": 8.0, **changes})

    def diagnose(self, host: str, target: str | None = None, **options: object) -> Diagnosis:
        """Diagnose a host of the laboratory."""
        return diagnose_dns(host, target=target, **{"network": self.network(), **options})


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Start every server, and stop them at the end."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if missing:
        reason = f"these programs are missing: {', '.join(missing)} (Debian: nsd, unbound, ldnsutils)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("dns")
    zones = tomllib.loads(Path(__file__).with_name("zones.toml").read_text("utf-8"))
    port, resolver_port = _free_port(list(ADDRESSES.values())[:-1]), _free_port(["127.0.0.1"])
    with ExitStack() as stack:
        anchors = _start_authoritative(stack, folder, zones, port)
        stack.enter_context(_listening(ADDRESSES["s"], port))  # It hears, and never says a word.
        _serve(stack, _listening(ADDRESSES["l"], port), _losing((ADDRESSES["a"], port)))
        _serve(stack, _listening(ADDRESSES["c"], port), _loose(zones))
        _start_unbound(stack, folder, zones, (port, resolver_port), anchors)
        yield Laboratory(port, f"127.0.0.1:{resolver_port}")


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def _run(command: list[str], folder: Path) -> str:
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": _path()}, capture_output=True, text=True, check=True
    ).stdout.strip()


def _free_port(addresses: list[str]) -> int:
    """Find a port that is free at every address, for UDP and TCP."""
    for _ in range(50):
        with ExitStack() as stack:
            port = 0
            with suppress(OSError):
                for address in addresses:
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        sock.bind((address, port))
                        port = sock.getsockname()[1]
                return port
    pytest.fail("no free port")


def _listening(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


# Zones ---------------------------------------------------------------------------------------------------------------


def _zone_text(name: str, zone: Zone, *, records: str, serial: int) -> str:
    """Write a zone file: what every zone has, and its own records."""
    letters = zone.get("own", zone.get("servers", "a"))
    lines = [f"$ORIGIN {name}.", "$TTL 300", f"@ SOA ns-{letters[0]} host {serial} 3600 600 86400 60"]
    lines += [f"@ NS ns-{letter}" for letter in letters]
    lines += [f"ns-{letter} A {ADDRESSES[letter]}" for letter in letters]
    lines += [f"n{i} A 203.0.113.20" for i in range(int(zone.get("generated", 0)))]
    lines += [f"www A 203.0.{i // 250}.{i % 250}" for i in range(int(zone.get("at_host", 0)))]
    return "\n".join([*lines, records.replace("{b}", ADDRESSES["b"]), ""])


def _parent_text(name: str, children: Mapping[str, str]) -> str:
    """Write the zone above: delegations with glue, where there is an address."""
    lines = [f"$ORIGIN {name}.", "$TTL 300", "@ SOA ns host 1 3600 600 86400 60", "@ NS ns"]
    lines += [f"ns A {ADDRESSES['tld' if name else 'root']}"]
    for child, letters in children.items():
        for server in letters.split():
            lines.append(f"{child}. NS ns-{server}.{child}.")
            if server in ADDRESSES:
                lines.append(f"ns-{server}.{child}. A {ADDRESSES[server]}")
    return "\n".join([*lines, ""])


def _start_authoritative(stack: ExitStack, folder: Path, zones: Mapping[str, Zone], port: int) -> list[str]:
    """Write every zone, and start an NSD for each address; return the trust anchors."""
    served: dict[str, dict[str, Path]] = {"root": {}, "tld": {}, "a": {}, "b": {}}
    anchors: list[str] = []
    for top in ("test", "com"):
        children = {
            name: " ".join(zone.get("servers", "a"))
            for name, zone in zones.items()
            if name.endswith(f".{top}") and not zone.get("is_child")
        }
        served["tld"][top] = _written(folder / f"{top}.zone", _parent_text(top, children))
    served["root"]["."] = _written(folder / "root.zone", _parent_text("", {"test": "tld", "com": "tld"}))
    for name, zone in zones.items():
        for letter in zone.get("data", zone.get("servers", "a")) + ("b" if "resolved_at" in zone else ""):
            if letter not in served:
                continue
            is_old = letter == "b" and "old" in zone
            text = _zone_text(name, zone, records=zone["old" if is_old else "records"], serial=1 if is_old else 2)
            path = _written(folder / f"{letter}-{name}.zone", text)
            served[letter][name] = _signed(path, name, zone["signing"], anchors) if "signing" in zone else path
    for server, files in served.items():
        _start_nsd(stack, folder / server, (ADDRESSES[server], port), files)
    return anchors


def _written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def _signed(path: Path, name: str, signing: str, anchors: list[str]) -> Path:
    """Sign a zone, with signatures that have expired if they should be broken."""
    key = _run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", name], path.parent)
    dates = ["-i", "20200101", "-e", "20200201"] if signing == "expired" else ["-e", "20370101"]
    _run(["ldns-signzone", "-o", name, *dates, path.name, key], path.parent)
    anchors.append((path.parent / f"{key}.key").read_text("utf-8"))
    return path.with_name(f"{path.name}.signed")


# Servers -------------------------------------------------------------------------------------------------------------


def _start(stack: ExitStack, command: list[str], where: tuple[str, int], folder: Path) -> None:
    """Start a server and wait until it answers."""
    log = stack.enter_context((folder / "output.log").open("w"))
    process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PATH": _path()}, cwd=folder)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    query = dns.message.make_query("ready.invalid", "A")
    for _ in range(300):
        with suppress(dns.exception.DNSException, OSError):
            dns.query.udp(query, where[0], port=where[1], timeout=0.2)
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"{command[0]} did not start: {(folder / 'output.log').read_text('utf-8')[-2000:]}")


def _start_nsd(stack: ExitStack, folder: Path, where: tuple[str, int], files: Mapping[str, Path]) -> None:
    folder.mkdir()
    settings = f"""
server:
  ip-address: {where[0]}@{where[1]}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  database: ""
  zonelistfile: "{folder}/zone.list"
  xfrdfile: ""
  xfrdir: "{folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
    settings += "".join(f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n' for name, path in files.items())
    _start(stack, ["nsd", "-d", "-c", str(_written(folder / "nsd.conf", settings))], where, folder)


def _start_unbound(
    stack: ExitStack, folder: Path, zones: Mapping[str, Zone], ports: tuple[int, int], anchors: list[str]
) -> None:
    """Start a validating resolver, told where each zone is: a delegation has no port."""
    anchor = _written(folder / "anchors.key", "".join(anchors))
    settings = f"""
server:
  interface: 127.0.0.1@{ports[1]}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "{anchor}"
  local-zone: "test." nodefault
  ede: yes
  num-threads: 1
  outgoing-range: 200
remote-control:
  control-enable: no
"""
    places = {".": "root", "test": "tld", "com": "tld"}
    places |= {name: zone.get("resolved_at", zone.get("servers", "a")) for name, zone in zones.items()}
    for name, letters in places.items():
        known = [letters] if letters in ADDRESSES else [letter for letter in letters if letter in ADDRESSES]
        settings += f'stub-zone:\n  name: "{name}"\n  stub-prime: no\n'
        settings += "".join(f"  stub-addr: {ADDRESSES[letter]}@{ports[0]}\n" for letter in known)
    folder = folder / "unbound"
    folder.mkdir()
    _start(
        stack,
        ["unbound", "-d", "-c", str(_written(folder / "unbound.conf", settings))],
        ("127.0.0.1", ports[1]),
        folder,
    )


def _serve(stack: ExitStack, sock: socket.socket, answer: Callable[[bytes], bytes | None]) -> None:
    """Answer packets in a thread until the end."""

    def loop() -> None:
        with suppress(OSError):  # The socket is closed at the end.
            while True:
                packet, client = sock.recvfrom(65535)
                if not packet:
                    return
                reply = answer(packet)
                if reply is not None:
                    sock.sendto(reply, client)

    def stop() -> None:
        sock.sendto(b"", sock.getsockname())
        thread.join()
        sock.close()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    stack.callback(stop)


def _losing(behind: tuple[str, int]) -> Callable[[bytes], bytes | None]:
    """Hand packets on, and lose some."""
    chance = random.Random(1)  # noqa: S311  # Which packets are lost is no secret.

    def answer(packet: bytes) -> bytes | None:
        if chance.random() < LOST_FRACTION:
            return None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            sock.sendto(packet, behind)
            with suppress(TimeoutError):
                return sock.recv(65535)
        return None

    return answer


def _loose(zones: Mapping[str, Zone]) -> Callable[[bytes], bytes | None]:
    """Answer against the rules, as some providers do: each type for itself, a CNAME only as a last resort."""
    records = dict[tuple[dns.name.Name, str], list[str]]()
    for name, zone in zones.items():
        text = _zone_text(name, zone, records=zone["records"], serial=2) if zone.get("servers") == "c" else ""
        origin = dns.name.from_text(name)
        for owner, kind, value in re.findall(r"(?m)^(\S+)\s+(SOA|NS|A|CNAME|TXT)\s+(.*)", text):
            full = re.sub(r"\b(ns-c|host)\b", rf"\1.{name}.", value) if kind in {"SOA", "NS"} else value
            key = (origin if owner == "@" else dns.name.from_text(owner, origin), kind)
            records.setdefault(key, []).append(full)

    def answer(packet: bytes) -> bytes | None:
        query = dns.message.from_wire(packet)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        owner, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        found = next((k for k in (kind, "CNAME") if (owner, k) in records), None)
        if found:
            reply.answer = [dns.rrset.from_text(owner, 300, "IN", found, *records[owner, found])]
        elif not any(name == owner for name, _ in records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()

    return answer
