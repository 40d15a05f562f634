"""Damaged requests to a real tower: events, native messages with sound and broken proofs, telemetry.

What was acknowledged must be found in the store afterwards. `python -m bench.fuzz_wire FOLDER` prints what a stopped
tower's store holds.
"""

from __future__ import annotations

import atexit
import gc
import gzip
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import msgspec

from bench.decode import damaged
from bench.fuzz_targets import SECRET, b64, event_samples, mac, telemetry_samples
from bench.fuzz_values import changed
from bench.process import AUTH, TOKEN, Tower, tower
from collector import cloudevents
from collector.decode import decode
from collector.mapping import System, load_mappings
from collector.otlp.decode import from_json, from_protobuf
from collector.otlp.signal import Signal
from tower.store.client import Store

_LANES = 4
_CONNECTIONS = """
connections:
  - {name: shop, kind: commerce, mapping: shopify, verify: {scheme: shopify, secrets: "env:TOWER_SECRET_FUZZ"}}
  - {name: erp, kind: erp, mapping: sap_s4, verify: {scheme: hmac, header: x-sig, secrets: "env:TOWER_SECRET_FUZZ"}}
  - {name: crm, kind: crm, mapping: salesforce, verify: {scheme: bearer, secrets: "env:TOWER_SECRET_FUZZ"}}
  - {name: edi, kind: edi, mapping: x12, verify: {scheme: query_secret, secrets: "env:TOWER_SECRET_FUZZ"}}
  - name: hub
    kind: edi
    mapping: edifact
    verify: {scheme: header_secret, header: x-key, secrets: "env:TOWER_SECRET_FUZZ"}
  - {name: old, kind: erp, mapping: legacy_erp}
  - {name: ion, kind: erp, mapping: infor_ion}
"""
_SEALED = ("shop", "erp")  # whose proof covers the body
_SETS = {
    "shop": "shopify", "erp": "sap_s4", "crm": "salesforce", "edi": "x12", "hub": "edifact", "old": "legacy_erp",
    "ion": "infor_ion",
}  # fmt: skip


class Sent(NamedTuple):
    """One request as it is written. body is what was signed or meant, before an encoding; forged: no proof fits it."""

    door: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    wire: bytes
    body: bytes
    forged: bool = False
    signal: Signal | None = None


class Answer(NamedTuple):
    """One answer; status 0 where there was none."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Wire:
    """What became of all requests. wrong holds a sentence for each answer or loss that must not be."""

    sent: int = 0
    taken: int = 0
    refused: int = 0
    overload: int = 0
    forged: int = 0
    wrong: list[str] = field(default_factory=list)
    events: set[tuple[str, str]] = field(default_factory=set)
    raw: set[tuple[str, str]] = field(default_factory=set)
    items: dict[str, int] = field(default_factory=lambda: {"traces": 0, "logs": 0})
    lost: int = 0
    store_refused: int = 0
    tracebacks: int = 0

    @property
    def kept(self) -> int:
        """How many events, native messages, spans and log records were acknowledged."""
        return len(self.events) + len(self.raw) + sum(self.items.values())

    def fault(self, sent: Sent, told: str) -> None:
        """Note and print what is wrong."""
        self.wrong.append(f"{sent.path}: {told[:300]}")
        print(f"{self.wrong[-1]} from {sent.headers!r} {sent.body[:1500]!r}")


def send(folder: Path, count: int, seed: int) -> Wire:
    """Send so many requests to a fresh tower, stop it, and compare what it acknowledged with what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    connections = folder / "connections.yaml"
    connections.write_text(_CONNECTIONS)
    wire = Wire()
    with tower(
        folder / "tower", "run", {"TOWER_CONNECTIONS": str(connections), "TOWER_SECRET_FUZZ": SECRET}
    ) as running:
        with ThreadPoolExecutor(_LANES) as lanes:
            for sent, answer in lanes.map(lambda sent: (sent, _post(running.port, sent)), requests(count, seed)):
                _judge(wire, sent, answer)
        _settle(running, wire)
    _compare(wire, running)
    return wire


def requests(count: int, seed: int) -> Iterator[Sent]:
    """Yield damaged requests of every door, some of them sound."""
    chance = random.Random(seed)
    systems = load_mappings().systems
    events, telemetry = list(event_samples()), list(telemetry_samples())
    for number in range(count):
        turn = number % 8
        if turn < 2:
            content_type, heads, sample = chance.choice(events)
            own = b"e%d-" % number  # each request speaks of events of its own
            heads = [(name, value.replace(b"e-", own)) for name, value in heads]
            body = _maybe(sample.replace(b'"e-', b'"' + own), chance)
            yield _request("events", "/v1/events", [(b"content-type", content_type.encode()), *heads], body, chance)
        elif turn < 4:
            signal, json, sample = chance.choice(telemetry)
            media = b"application/json" if json else b"application/x-protobuf"
            body = _maybe(sample, chance)
            sent = _request("otlp", f"/v1/{signal.name}", [(b"content-type", media)], body, chance)
            yield sent._replace(signal=signal)
        else:
            name = chance.choice([*_SETS])
            yield _native(name, systems[_SETS[name]], chance)


def _maybe(sample: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        return sample
    if sample[:1] in (b"{", b"[") and chance.random() < 0.7:
        try:
            return changed(sample, chance)
        except msgspec.MsgspecError:
            pass
    return damaged(sample, chance)


def _native(name: str, system: System, chance: random.Random) -> Sent:
    example = chance.choice([e for m in system.mappings for e in m.examples])
    body = signed = _maybe(example.body, chance)
    path, forged = f"/v1/ingest/{name}", False
    if name in _SEALED and chance.random() < 0.2:
        signed = damaged(body, chance)
        forged = signed != body
    heads = [(k.encode(), v.encode()) for k, v in example.headers.items()]
    match name:
        case "shop":
            heads.append((b"x-shopify-hmac-sha256", b64(mac(signed)).encode()))
        case "erp":
            heads.append((b"x-sig", mac(signed).hex().encode()))
        case "crm":
            heads.append((b"authorization", f"Bearer {SECRET}".encode()))
        case "hub":
            heads.append((b"x-key", SECRET.encode()))
        case "edi":
            path += f"?code={quote(SECRET)}"
    return _request(name, path, heads, body, chance)._replace(forged=forged)


def _request(door: str, path: str, heads: list[tuple[bytes, bytes]], body: bytes, chance: random.Random) -> Sent:
    """Return the request with, at times, a damaged header, or a body that is compressed or half of that."""
    if not any(name == b"authorization" for name, _ in heads):
        heads = [*heads, (b"authorization", f"Bearer {TOKEN}".encode())]
    wire = body
    if chance.random() < 0.1:
        heads.append((b"content-encoding", b"gzip"))
        wire = gzip.compress(body, 1)
        if chance.random() < 0.5:
            wire = damaged(wire, chance)
    if chance.random() < 0.2:
        at = chance.randrange(len(heads))
        heads[at] = (heads[at][0], _one_line(damaged(heads[at][1] or b"x", chance)))
    if chance.random() < 0.05:
        heads.append((b"x-odd", _one_line(chance.randbytes(chance.randrange(300)))))
    return Sent(door, path, tuple(heads), wire, body)


def _one_line(value: bytes) -> bytes:
    """Return a header's value without what would end it."""
    return value.translate(None, b"\r\n")


def _post(port: int, sent: Sent) -> Answer:
    """Return the answer to a request that no library would send."""
    head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n" % (
        sent.path.encode(), len(sent.wire),
    )  # fmt: skip
    head += b"".join(b"%b: %b\r\n" % pair for pair in sent.headers)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        answered = b""
        try:
            line.sendall(head + b"\r\n" + sent.wire)
            while chunk := line.recv(65536):
                answered += chunk
        except (ConnectionError, TimeoutError):
            pass  # what came before counts
    top, _, body = answered.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/1.1 "):
        return Answer(0, {}, answered)
    pairs = (line.partition(":") for line in lines[1:])
    return Answer(int(lines[0][9:12]), {name.lower(): value.strip() for name, _, value in pairs}, body)


def _judge(wire: Wire, sent: Sent, answer: Answer) -> None:
    wire.sent += 1
    if answer.status == 503 and "retry-after" in answer.headers:
        wire.overload += 1
    elif not 200 <= answer.status < 500:
        wire.fault(sent, f"status {answer.status}, {answer.body[:200]!r}")
    elif answer.status >= 300:
        wire.refused += 1
    elif sent.forged and not (dict(sent.headers).keys() & {b"content-encoding"}):
        wire.forged += 1
        wire.fault(sent, "a message was taken whose signature is of another one")
    else:
        wire.taken += 1
        _expect(wire, sent, answer)


def _expect(wire: Wire, sent: Sent, answer: Answer) -> None:
    """Note what must be in the store."""
    encoding = dict(sent.headers).get(b"content-encoding", b"").strip().lower()
    body = gzip.decompress(sent.wire) if encoding in (b"gzip", b"x-gzip") else sent.wire
    if sent.door == "events":
        reply = msgspec.json.decode(answer.body)
        gone = {refused["index"] for refused in reply["rejected"]}
        headers = dict(sent.headers)
        raws = cloudevents.split(headers.get(b"content-type", b"").decode("latin-1"), sent.headers, body).raws
        for index, raw in enumerate(raws):
            if index not in gone:
                event = decode(raw)
                wire.events.add((event.source, event.id))
        kept = reply["accepted"] + reply["duplicate"] + reply["quarantined"]
        if kept + len(gone) != len(raws):
            wire.fault(sent, f"{len(raws)} events were sent and {kept} + {len(gone)} are told of")
    elif sent.signal is None:
        wire.raw.add((sent.door, sha256(body).hexdigest()))
    else:
        json = answer.headers["content-type"].startswith("application/json")
        request = (from_json if json else from_protobuf)(body, sent.signal.request)
        items = sum(len(getattr(scope, sent.signal.items)) for _, scope in sent.signal.groups(request))
        result: Any = (from_json if json else from_protobuf)(answer.body, sent.signal.response)
        wire.items[sent.signal.name] += items - getattr(result.partial_success, sent.signal.rejected)


def _settle(running: Tower, wire: Wire) -> None:
    """Wait until all is stored and judged, and read the log."""
    for journal in ("raw", "events", "traces", "logs"):
        running.wait_stored(journal, 120)
    last = httpx.post(
        f"{running.url}/v1/events", params={"wait": "stored"}, json=[], headers=AUTH, timeout=60, trust_env=False
    )
    if last.status_code != 200 or not httpx.get(f"{running.url}/readyz", trust_env=False).is_success:
        wire.wrong.append(f"the tower is not well afterwards: {last.status_code} {last.text[:200]}")
        print(wire.wrong[-1])
    log = (running.folder / "tower.log").read_text(errors="replace")
    wire.tracebacks = log.count("Traceback (most recent call last)")
    if wire.tracebacks:
        print(log[max(0, log.find("Traceback") - 500) :][:6000])


def _compare(wire: Wire, running: Tower) -> None:
    command = [sys.executable, "-m", "bench.fuzz_wire", str(running.folder / "store")]
    held = msgspec.json.decode(subprocess.run(command, capture_output=True, timeout=300, check=True).stdout)
    missing = {
        "events": [*(wire.events - {tuple(row) for row in held["events"]})],
        "native messages": [*(wire.raw - {tuple(row) for row in held["raw"]})],
    }
    for what, gone in missing.items():
        if gone:
            print(f"{len(gone)} acknowledged {what} are not in the store: {gone[:5]}")
        wire.lost += len(gone)
    for name, count in wire.items.items():
        if held[name] < count:
            print(f"{count} items of {name} were acknowledged and {held[name]} are stored")
            wire.lost += count - held[name]
    wire.store_refused = len(held["refused"])
    for detail in held["refused"][:3]:
        print(f"the store refused: {detail[:1000]}")


def _held(folder: str) -> dict[str, Any]:
    questions = {
        "events": "SELECT DISTINCT source, event_id FROM events",
        "raw": "SELECT DISTINCT connection, sha256 FROM raw WHERE outcome != ''",
    }
    store = Store(f"chdb://{folder}")
    with store.reader() as client:
        found: dict[str, Any] = {name: client.query(sql).result_rows for name, sql in questions.items()}
        for name in ("traces", "logs"):
            found[name] = client.query(f"SELECT count() FROM otel_{name}").result_rows[0][0]
        refused = "SELECT concat(type, ' ', quarantine_detail) FROM events WHERE quarantine = 'store_refused'"
        found["refused"] = [row[0] for row in client.query(refused).result_rows]
    store.close()
    return found


if __name__ == "__main__":
    atexit.register(gc.freeze)  # the reason is in tower/cli.py
    sys.stdout.buffer.write(msgspec.json.encode(_held(sys.argv[1])))
