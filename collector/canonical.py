"""A typed event to its journal line: one JSON object with the columns of table `events`.

Columns at their default are left out; the store fills them in. The content part is encoded once: it is hashed for
`body` and copied into the line as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from collector.amount import exact_text
from collector.event import Data, Event
from collector.instant import instant
from collector.limits import FUTURE, MAX_ATTRIBUTE, MAX_ATTRIBUTES
from collector.objects import NOTHING, objects_of
from collector.rejection import Rejection
from collector.senders import Sender
from rules.vocabulary import HEARTBEAT, ORDER_ATTRIBUTES, TYPE_PREFIX

# Version 00 has four parts; a later version may have more.
_TRACEPARENT = re.compile(
    r"(?:00(?=.{53}\Z)|(?!00|ff)[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|\Z)"
)
_hash = blake2b(digest_size=8)
_NO_DATA = Data()
_FIELDS = frozenset(f.encode_name for f in msgspec.structs.fields(Data))


class _Content(Struct, omit_defaults=True, gc=False):
    """The columns that say what happened, in the table's order."""

    source: str
    event_id: str
    type: str
    milestone: str
    polarity: str
    occurred_at: datetime
    on_types: Sequence[str] = ()
    on_ids: Sequence[str] = ()
    child_types: Sequence[str] = ()
    child_ids: Sequence[str] = ()
    parent_types: Sequence[str] = ()
    parent_ids: Sequence[str] = ()
    relations: Sequence[str] = ()
    retracts: Sequence[int] = ()
    amount: str | None = None
    quantity: str | None = None
    currency: str = ""
    customer_id: str = ""
    customer_tier: str = ""
    channel: str = ""
    order_type: str = ""
    company: str = ""
    warehouse: str = ""
    partner: str = ""
    promised_at: datetime | None = None
    requested_at: datetime | None = None
    reason: str = ""
    error: str = ""
    attributes: dict[str, str] | None = None


class _Loose(Struct):
    data: dict[str, Any] = {}
    data_base64: bytes | None = None


_encode = msgspec.json.Encoder().encode
_loose = msgspec.json.Decoder(_Loose, float_hook=str)
_loose_data = msgspec.json.Decoder(dict[str, Any], float_hook=str)


class Line(NamedTuple):
    """One journal line with its identity. reason is the quarantine reason, '' when the event is usable."""

    text: bytes
    ev: int
    body: int
    reason: str
    heartbeat: bool


def canonical(
    event: Event, raw: bytes | msgspec.Raw, sender: Sender, milestones: frozenset[str], horizon: datetime
) -> Line:
    """Return the journal line of an event. raw is its JSON as it came; a time after horizon is quarantined.

    Raises Rejection.
    """
    milestone, polarity = split_type(event.type)
    heartbeat = milestone == HEARTBEAT and polarity == "reached"
    data = event.data or _NO_DATA
    reason = detail = ""
    if event.time > horizon:
        reason = "future_time"
        detail = f"its time is more than {FUTURE.seconds // 60} minutes ahead; check the sender's clock and zone"
    if heartbeat:
        content = _Content(event.source, event.id, event.type, "", polarity, instant(event.time, "time"))
    else:
        objects = objects_of(data, sender.scope)
        if milestone not in milestones:
            reason = "unknown_milestone"
            detail = f"the rulebook has no milestone {milestone}; add it there and replay"
        elif objects is NOTHING:
            reason = "no_object"
            detail = "it names no object; give order_id, shipment_id or another id in data"
        content = _Content(
            event.source,
            event.id,
            event.type,
            milestone,
            polarity,
            instant(event.time, "time"),
            *objects,
            exact_text(data.amount, "amount") if data.amount is not None else None,
            exact_text(data.quantity, "quantity") if data.quantity is not None else None,
            _currency(data.currency) if data.currency else "",
            data.customer_id or "",
            data.customer_tier or "",
            data.channel or "",
            data.order_type or "",
            data.company or "",
            data.warehouse or "",
            data.partner or "",
            instant(data.promised_at, "data.promised_at") if data.promised_at is not None else None,
            instant(data.requested_at, "data.requested_at") if data.requested_at is not None else None,
            data.reason or "",
            data.error or "",
            _further(raw, sender.attributes) if sender.attributes else None,
        )
    text = _encode(content)
    ev = identity(event.source, event.id)
    body = hash64(text)
    why = b""
    if reason:
        why = b',"quarantine":"%b","quarantine_detail":%b' % (reason.encode(), _encode(detail))
    # The trace is how the event travelled, not what it says: a re-send on a new trace is a duplicate, no conflict.
    if traced := trace_id(event.traceparent) if event.traceparent else "":
        why += b',"trace_id":"%b"' % traced.encode()
    line = b'{%b,"ev":%d,"body":%d%b,"raw":%b,%b\n' % (sender.head, ev, body, why, one_line(raw), text[1:])
    return Line(line, ev, body, reason, heartbeat)


def identity(source: str, event_id: str) -> int:
    """Return the 64-bit hash of (source, id)."""
    return hash64(f"{len(source)}:{source}{event_id}".encode())


def hash64(data: bytes) -> int:
    """Return the first 64 bits of BLAKE2b; a hash that no one can steer, since it decides which body wins."""
    state = _hash.copy()
    state.update(data)
    return int.from_bytes(state.digest(), "little")


@lru_cache(4096)
def split_type(event_type: str) -> tuple[str, str]:
    """Return (milestone, polarity) of a type. Raises Rejection for a type that is not ours."""
    if not event_type.startswith(TYPE_PREFIX) or len(event_type) == len(TYPE_PREFIX):
        raise Rejection("unknown_type", f"type is {event_type!r}; write {TYPE_PREFIX}<milestone> - at `$.type`")
    milestone = event_type[len(TYPE_PREFIX) :]
    for polarity in ("failed", "reversed"):
        bare = milestone.removesuffix(f".{polarity}")
        if bare and bare != milestone:
            return bare, polarity
    return milestone, "reached"


@lru_cache(4096)
def trace_id(traceparent: str) -> str:
    """Return the trace id of a W3C traceparent of any version, '' if it is malformed or all zero; never an error."""
    found = _TRACEPARENT.match(traceparent)
    return found["trace"] if found else ""


def one_line(raw: bytes | msgspec.Raw) -> bytes:
    """Return the JSON value that puts raw into a journal line: the object itself, or a string if it has line breaks."""
    text = bytes(raw)
    return text if b"\n" not in text else _encode(text.decode())


@lru_cache(512)
def _currency(code: str) -> str:
    if not (code.isascii() and code.isalpha()):
        raise Rejection(
            "invalid_event", f"currency is {code!r}; write three letters of ISO 4217 - at `$.data.currency`"
        )
    return code.upper()


def _further(raw: bytes | msgspec.Raw, allowed: frozenset[str]) -> dict[str, str] | None:
    """Return the allow-listed further fields of data that are plain values, capped in number and length."""
    loose = _loose.decode(raw)
    data = loose.data if loose.data_base64 is None else _loose_data.decode(loose.data_base64)
    found = {}
    for name in sorted((allowed & data.keys()) - _FIELDS)[:MAX_ATTRIBUTES]:
        value = data[name]
        if isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, str | int):
            found[name] = str(value)[:MAX_ATTRIBUTE]
    return found or None


assert set(ORDER_ATTRIBUTES) <= _FIELDS, "an order attribute of the vocabulary is missing from the event"
