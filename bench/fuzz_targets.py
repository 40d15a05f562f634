"""What is fuzzed in process: each place where strange bytes are read, with samples for it and what a sound end is.

Samples are our own, and those of other people where the folder `shared/data` lies beside the project.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench import telemetry
from bench.decode import SAMPLES, damaged
from collector import cloudevents
from collector.decoders import Undecodable, decode
from collector.intake import take
from collector.mapping import Context, System, load_mappings
from collector.mapping.check import context_of, invalid
from collector.mapping.model import Example
from collector.otlp.check import check
from collector.otlp.decode import from_json, from_protobuf
from collector.otlp.enrich import Enricher
from collector.otlp.line import Line, to_line
from collector.otlp.rewrite import needs_rewrite, rewrite
from collector.otlp.signal import LOGS, TRACES, Signal
from collector.otlp.speakers import Speakers
from collector.rejection import Rejection
from collector.senders import Senders
from collector.verify import Message, Unverified, verify
from rules.vocabulary import TYPE_PREFIX
from tests.mappings.tables import FILES, messages, table
from tests.mappings.tables import headers as headers_of
from tower.model.connection import Connection, Verify
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.model.problem import Problem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADMIN = Principal("bench", frozenset({"admin"}))
SHARED = Path(__file__).parents[2] / "shared" / "data"
SECRET = "a-secret-of-the-bench"
_NOBODY = Connections()
_FORMATS = {".json": "json", ".xml": "xml"}


class Target(NamedTuple):
    """One reader of strange bytes with one sample. run returns what is wrong with how it ended, '' if nothing is.

    json: the sample is also changed value by value. step, where the reader gives one document after the other, tells
    the processor seconds that the longest of the last body's took.
    """

    family: str
    name: str
    sample: bytes
    run: Callable[[bytes, random.Random], str]
    json: bool = False
    step: Callable[[], float] | None = None


def targets() -> Iterator[Target]:
    """Yield every target, one family after the other."""
    yield from _decoders()
    yield from _mapping_sets()
    yield from _verifiers()
    yield from _intake()
    yield from _telemetry()


def _decoders() -> Iterator[Target]:
    for spec, sample in SAMPLES:
        yield Target("decoder", str(spec["format"]), sample, _decoder(spec), spec["format"] == "json")
    for path in FILES:
        name = _FORMATS.get(path.suffix) or path.parent.name
        yield Target("decoder", f"{name} {path.name}", path.read_bytes(), _decoder({"format": name}), name == "json")


def _decoder(spec: Mapping[str, Any]) -> Callable[[bytes, random.Random], str]:
    def run(body: bytes, _: random.Random) -> str:
        try:
            deque(decode(spec, body), maxlen=0)
        except Undecodable as error:
            return "" if error.detail else "it is refused without a reason"
        return ""

    return run


def _mapping_sets() -> Iterator[Target]:
    systems = load_mappings().systems
    for system in systems.values():
        for mapping in system.mappings:
            for example in mapping.examples:
                json = mapping.decode["format"] == "json"
                read = _Mapped(system, context_of(example, system.name))
                yield Target("mapping", f"{system.name} {mapping.name}", example.body, read.run, json, read.step)
    for path in FILES:
        known = table(path.parent.name)
        entry: dict[str, Any] = known["files"].get(path.name, {}) if known else {}
        for body in messages(path, entry) if entry else ():
            read = _Mapped(
                systems[known["set"]], _context(known["set"], known.get("connection") or {}, headers_of(entry))
            )
            yield Target("mapping", f"{known['set']} {path.name}", body, read.run, path.suffix == ".json", read.step)
        for system in systems.values():
            read = _Mapped(system, Context(system.name, "erp", f"/erp/{system.name}", NOW))
            yield Target("foreign", f"{system.name} {path.name}", path.read_bytes(), read.run, path.suffix == ".json")


def _context(system: str, connection: Mapping[str, Any], headers: Mapping[str, str]) -> Context:
    return context_of(Example("", "", b"", headers, {}, connection, NOW, (), False, ""), system)


class _Mapped:
    """Reads bodies with a mapping set and watches how each document ends."""

    def __init__(self, system: System, context: Context) -> None:
        self._system, self._context = system, context
        self._longest_s = 0.0

    def step(self) -> float:
        """Return the processor seconds of the document of the last body that took longest."""
        return self._longest_s

    def run(self, body: bytes, _: random.Random) -> str:
        """Return what is wrong with how a document of the body ended, '' if nothing is."""
        count = 0
        self._longest_s = 0.0
        since = time.process_time()
        for outcome in self._system.outcomes(body, self._context):
            count += 1
            now = time.process_time()
            self._longest_s, since = max(self._longest_s, now - since), now
            if not (outcome.reason or outcome.ignored or outcome.mapping):
                return "a document ends in nothing"
            if outcome.reason and (outcome.events or not outcome.detail):
                return f"{outcome.reason} without a detail, or with events"
            for mapped in outcome.events:
                told = invalid(mapped)
                # Said by the door in the message's own quarantine row: the value is a time or an object of no use.
                if told and not told.startswith(("no_object", "time_out_of_range")):
                    return f"an event that is none: {told}"
        return "" if count else "no word on the message"


class _Signed(NamedTuple):
    """A proof that holds. sealed: it covers the body, so that no other body may pass with it."""

    rule: Verify
    secret: str
    headers: dict[str, str]
    query: dict[str, str] = {}  # noqa: RUF012  # never changed
    sealed: bool = True


def mac(*parts: bytes, secret: str = SECRET) -> bytes:
    """Return the HMAC-SHA256 of the parts together."""
    return hmac.new(secret.encode(), b"".join(parts), hashlib.sha256).digest()


def b64(data: bytes) -> str:
    """Return base64 text."""
    return base64.b64encode(data).decode()


_BODY = msgspec.json.encode(
    {"id": "evt_1", "event_id": "e-1", "recipient_client_id": "ours", "shop": "eu", "total": "10.50", "lines": [1, 2]}
)


def _signed() -> dict[str, _Signed]:
    at = str(int(NOW.timestamp()))
    stamp = NOW.isoformat(timespec="seconds").replace("+00:00", "Z")
    key = rsa.generate_private_key(65537, 2048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    window = {"tolerance": ("300",)}
    raw = b"0" * 24
    standard = hmac.new(raw, f"msg_1.{at}.".encode() + _BODY, hashlib.sha256).digest()
    return {
        "shopify": _Signed(
            Verify("shopify", (), {"shop": ("eu",)}),
            SECRET,
            {"x-shopify-hmac-sha256": b64(mac(_BODY)), "x-shopify-shop-domain": "eu"},
        ),
        "stripe": _Signed(
            Verify("stripe", (), window),
            SECRET,
            {"stripe-signature": f"t={at},v1={mac(f'{at}.'.encode(), _BODY).hex()}"},
        ),
        "adobe_io": _Signed(
            Verify("adobe_io", (), {"client_id": ("ours",)}),
            pem,
            {"x-adobe-digital-signature-1": b64(key.sign(_BODY, PKCS1v15(), SHA256()))},
        ),
        "zendesk": _Signed(
            Verify("zendesk", (), window),
            SECRET,
            {
                "x-zendesk-webhook-signature": b64(mac(stamp.encode(), _BODY)),
                "x-zendesk-webhook-signature-timestamp": stamp,
            },
        ),
        "aftership": _Signed(Verify("aftership"), SECRET, {"aftership-hmac-sha256": b64(mac(_BODY))}),
        "easypost": _Signed(Verify("easypost"), SECRET, {"x-hmac-signature": f"hmac-sha256-hex={mac(_BODY).hex()}"}),
        "standard_webhooks": _Signed(
            Verify("standard_webhooks", (), window),
            f"whsec_{b64(raw)}",
            {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,{b64(standard)}"},
        ),
        "hmac": _Signed(
            Verify(
                "hmac",
                (),
                {
                    "header": ("x-sig",), "algorithm": ("sha256",), "encoding": ("hex",), "prefix": ("",),
                    "timestamp": ("x-time",), "signed": ("{timestamp}.{body}",), **window,
                },
            ),
            SECRET,
            {"x-sig": mac(f"{at}.".encode(), _BODY).hex(), "x-time": at},
        ),
        "basic": _Signed(Verify("basic"), "user:pw", {"authorization": f"Basic {b64(b'user:pw')}"}, sealed=False),
        "bearer": _Signed(Verify("bearer"), SECRET, {"authorization": f"Bearer {SECRET}"}, sealed=False),
        "header_secret": _Signed(
            Verify("header_secret", (), {"header": ("x-key",)}), SECRET, {"x-key": SECRET}, sealed=False
        ),
        "query_secret": _Signed(
            Verify("query_secret", (), {"parameter": ("code",)}, {"body:shop": ("eu",)}),
            SECRET, {}, {"code": SECRET}, sealed=False,
        ),
        "mtls_header": _Signed(
            Verify(
                "mtls_header", (), {"header": ("x-subject",), "subjects": ("CN=a",), "proxies": ("127.0.0.0/8",)}
            ),
            "",
            {"x-subject": "CN=a"},
            sealed=False,
        ),
    }  # fmt: skip


def _verifiers() -> Iterator[Target]:
    for name, signed in _signed().items():
        message = Message(signed.headers, signed.query, _BODY, "127.0.0.1")
        verify(signed.rule, (signed.secret,), message, NOW)  # it holds before it is damaged
        yield Target("verifier", name, _BODY, _verifier(signed), json=True)


def _verifier(signed: _Signed) -> Callable[[bytes, random.Random], str]:
    def run(body: bytes, chance: random.Random) -> str:
        headers, query = signed.headers, signed.query
        touched = False
        if headers and chance.random() < 0.7:
            touched = True
            name = chance.choice([*headers])
            value = damaged(headers[name].encode("latin-1"), chance).decode("latin-1")
            headers = (
                {**headers, name: value} if chance.random() < 0.9 else {k: v for k, v in headers.items() if k != name}
            )
        elif query:
            query = {name: damaged(value.encode(), chance).decode("latin-1") for name, value in query.items()}
        try:
            verify(signed.rule, (signed.secret,), Message(headers, query, body, "127.0.0.1"), NOW)
        except Unverified as error:
            return "" if str(error) else "it is refused without a reason"
        forged = signed.sealed and not touched and body != _BODY
        return "another body passed with the same signature" if forged else ""

    return run


EVENT = {
    "specversion": "1.0", "id": "e-1", "source": "/wms/berlin", "type": "o2c.shipment_confirmed",
    "time": "2026-03-01T09:30:00+01:00", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "sequence": "17",
    "datacontenttype": "application/json",
    "data": {
        "order_id": ["SO-1", "SO-2"], "shipment_id": "SH-1", "amount": "540.10", "quantity": 12, "currency": "EUR",
        "customer_id": "C-1", "promised_at": "2026-03-04T12:00:00Z", "reason": "späät", "error": "",
        "links": [{"from": "shipment:SH-1", "to": {"order_id": "SO-1"}, "relation": "alias", "retract": False}],
    },
}  # fmt: skip
_MILESTONES = frozenset({str(EVENT["type"]).removeprefix(TYPE_PREFIX)})
_LONE = msgspec.json.encode(EVENT)
_MANY = [_LONE, msgspec.json.encode({**EVENT, "id": "e-2", "type": "o2c.heartbeat"}), _LONE]
_HEADS = [(f"ce-{k}".encode(), str(v).encode()) for k, v in EVENT.items() if k not in ("data", "datacontenttype")]


def event_samples() -> Iterator[tuple[str, list[tuple[bytes, bytes]], bytes]]:
    """Yield the events door's forms: content type, ce- headers, body."""
    yield cloudevents.STRUCTURED, [], _LONE
    yield cloudevents.BATCH, [], b"[" + b",".join(_MANY) + b"]"
    yield cloudevents.LINES[0], [], b"\n".join(_MANY)
    yield "application/json", [], _LONE
    yield "application/json", _HEADS, msgspec.json.encode(EVENT["data"])
    yield "application/json", [], msgspec.json.encode({**EVENT, "data": None, "data_base64": b64(b'{"order_id":"A"}')})
    conformance = SHARED / "conformance" / "cloudevents_spec_examples_a.json"
    if conformance.exists():
        yield cloudevents.STRUCTURED, [], conformance.read_bytes()


def _intake() -> Iterator[Target]:
    for content_type, headers, body in event_samples():
        name = f"{content_type.rpartition('/')[2]}{' binary' if headers else ''}"
        yield Target("events", name, body, _taken(content_type, headers), json=content_type != cloudevents.LINES[0])


def _taken(content_type: str, headers: list[tuple[bytes, bytes]]) -> Callable[[bytes, random.Random], str]:
    def run(body: bytes, chance: random.Random) -> str:
        heads = headers
        if heads and chance.random() < 0.5:
            at = chance.randrange(len(heads))
            heads = [*heads[:at], (heads[at][0], damaged(heads[at][1], chance)), *heads[at + 1 :]]
        try:
            sent = cloudevents.split(content_type, heads, body)
        except Problem as problem:
            return "" if 400 <= problem.status < 500 and problem.detail else f"status {problem.status}"
        batch = take(
            sent.raws, senders=Senders(_NOBODY, ADMIN, NOW), milestones=_MILESTONES, identities={}, now=NOW, utf8=False
        )
        reply = batch.reply
        kept = reply.accepted + reply.quarantined
        if kept + reply.duplicate + len(reply.rejected) != len(sent.raws):
            return "the verdicts do not add up to the events"
        lines = bytes(batch.lines).splitlines()
        if len(lines) != kept or not all(isinstance(msgspec.json.decode(line), dict) for line in lines):
            return "the journal would not hold one object for each event that is kept"
        return ""

    return run


_BAGGAGE = "o2c.order_id=SO-1,o2c.shipment_id=SH%2D1;p=1"


def telemetry_samples() -> Iterator[tuple[Signal, bool, bytes]]:
    """Yield requests of OTLP: their signal, whether they are JSON, body."""
    (body,) = telemetry.requests(1, 1, 2, int(NOW.timestamp()) * 1_000_000_000)
    yield TRACES, False, body
    nested = {"kvlistValue": {"values": [{"key": "id", "value": {"intValue": "1"}}]}}
    record = {
        "timeUnixNano": "1772366400000000000", "severityText": "WARN", "traceId": "0a" * 16, "spanId": "0b" * 8,
        "body": {"stringValue": "späät"},
        "attributes": [{"key": "order", "value": nested}, {"key": "baggage", "value": {"stringValue": _BAGGAGE}}],
    }  # fmt: skip
    logs = {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "wms"}}]},
                "scopeLogs": [{"scope": {"name": "s"}, "logRecords": [record, record]}],
            }
        ]
    }
    yield LOGS, True, msgspec.json.encode(logs)
    for name, signal in (("trace.json", TRACES), ("trace.pb", TRACES), ("logs.json", LOGS)):
        path = SHARED / "otlp" / name
        if path.exists():
            yield signal, path.suffix == ".json", path.read_bytes()


def _telemetry() -> Iterator[Target]:
    for signal, json, body in telemetry_samples():
        yield Target("otlp", f"{signal.name} {'JSON' if json else 'protobuf'}", body, _exported(signal, json), json)


def _exported(signal: Signal, json: bool) -> Callable[[bytes, random.Random], str]:
    horizon = int((NOW + timedelta(minutes=5)).timestamp()) * 1_000_000_000
    connections = Connections((Connection("wms", "wms", "/otel/wms", scope="eu"),), configured=True)
    enricher = Enricher(connections)

    def run(body: bytes, chance: random.Random) -> str:
        try:
            if json:
                body = from_json(body, signal.request).SerializeToString()
            request = from_protobuf(body, signal.checked)
            speakers = Speakers(connections, ADMIN)
            verdict = check(signal, request, len(body), speakers, horizon)
            wanted = chance.random() < 0.5 or enricher.wanted(body)
            if verdict.kept and needs_rewrite(request, verdict, wanted or speakers.stamps):
                clean = rewrite(signal, body, request, verdict, speakers, horizon)
                enricher.enrich(signal, clean, speakers.connection_of)
                body = clean.SerializeToString()
        except Rejection as error:
            return "" if str(error) else "it is refused without a reason"
        if verdict.refused and not verdict.reasons:
            return "items are refused without a reason"
        if not verdict.kept:
            return ""
        left = sum(len(getattr(scope, signal.items)) for _, scope in signal.groups(from_protobuf(body, signal.request)))
        if left != verdict.kept:
            return f"{verdict.kept} items are kept and {left} are written"
        return "" if to_line(Line(body, verdict.heard)) else "nothing is written"

    return run
