"""A typed event to its journal line: one JSON object with the columns of table `events`.

Columns at their default are left out; the store fills them in, and derives the two hashes that identify an event and
its content. One content has one spelling here, whatever the sender's.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from collector.amount import exact_text
from collector.event import Data, Event
from collector.instant import instant, instant_text
from collector.limits import FUTURE, MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_DIGITS, MAX_NUMBER
from collector.objects import NAMING, ONLY_LINKS, settle_objects
from collector.rejection import Rejection
from collector.senders import Sender
from rules.vocabulary import HEARTBEAT, LINKED, ORDER_ATTRIBUTES, TEXT_ATTRIBUTES, TYPE_PREFIX

_FIELDS = frozenset(f.encode_name for f in msgspec.structs.fields(Data))
_TEXTS = (*TEXT_ATTRIBUTES, "reason", "error")


class _Loose(Struct):
    data: dict[str, Any] | None = None
    data_base64: bytes | None = None


_encode = msgspec.json.Encoder().encode
_loose = msgspec.json.Decoder(_Loose, float_hook=str)
_loose_data = msgspec.json.Decoder(dict[str, Any] | None, float_hook=str)


class Line(Struct, frozen=True, gc=False):
    """One journal line. reason is the quarantine reason, '' when the event is usable.

    identity and content are hashes of this process only, to tell duplicates from conflicts before rows can be queried;
    the hashes that count, `ev` and `body`, are the store's.
    """

    text: bytes
    identity: int
    content: int
    reason: str
    heartbeat: bool


def canonical(
    event: Event, raw: bytes | msgspec.Raw, sender: Sender, milestones: frozenset[str], horizon: datetime
) -> Line:
    """Return the journal line of an event. raw is its JSON as it came; a time after horizon is quarantined.

    Uses the event up: what is written is taken out of its data. Raises Rejection.
    """
    kind = _kind(event.source, event.type)
    reason = detail = ""
    if event.time > horizon:
        reason = "future_time"
        detail = f"its time is more than {FUTURE.seconds // 60} minutes ahead; check the sender's clock and zone"
    members = b""
    if not kind.heartbeat:
        if event.data is not None:
            members = _members(event.data, sender.scope)
        if kind.milestone == LINKED:
            if not members.startswith(ONLY_LINKS):
                raise Rejection("invalid_link", f"{event.type} carries data.links and no ids - at `$.data`")
        elif kind.milestone not in milestones:
            reason = "unknown_milestone"
            detail = f"the rulebook has no milestone {kind.milestone}; add it there and replay"
        elif not members.startswith(NAMING):
            reason = "no_object"
            detail = "it names no object; give order_id, shipment_id or another id in data"
        if sender.attributes and (further := _further(raw, sender.attributes)):
            members += b',"attributes":%b' % _encode(further)
    said = b'%b,"occurred_at":%b%b' % (kind.members, instant_text(event.time, "time"), members)
    why = b""
    if reason:
        why = b',"quarantine":"%b","quarantine_detail":%b' % (reason.encode(), _encode(detail))
    # The trace is how the event travelled, not what it says: a re-send on a new trace is a duplicate, no conflict.
    if event.traceparent:
        why += b',"traceparent":%b' % _encode(event.traceparent)
    # So is its number: a re-send under the next number says the same.
    if event.sequence is not None and (number := numbered(event.sequence)) is not None:
        why += b',"sequence_of":%b,"sequence":%d' % (_encode(event.source), number)
    if type(raw) is not bytes or b"\n" in raw:
        raw = one_line(raw)
    line = b"".join((b"{", sender.head, why, b',"raw":', raw, b',"event_id":', _encode(event.id), b",", said, b"}\n"))
    return Line(line, hash((event.source, event.id)), hash(said), reason, kind.heartbeat)


class _Kind(NamedTuple):
    """What all events of one source and type have in common. members is JSON: their columns without the braces."""

    milestone: str
    heartbeat: bool
    members: bytes


@lru_cache(4096)
def _kind(source: str, event_type: str) -> _Kind:
    milestone, polarity = split_type(event_type)
    heartbeat = milestone == HEARTBEAT and polarity == "reached"
    columns = {
        "source": source,
        "type": event_type,
        "milestone": "" if heartbeat else milestone,
        "polarity": polarity,
    }
    return _Kind(milestone, heartbeat, _encode(columns)[1:-1])


def _members(data: Data, scope: str) -> bytes:
    """Return what data says as JSON members, each after a comma, in one spelling and one order: objects come first.

    Raises Rejection.
    """
    if data.amount is not None:
        data.amount = Decimal(exact_text(data.amount, "amount"))
    if data.quantity is not None:
        data.quantity = Decimal(exact_text(data.quantity, "quantity"))
    if data.currency is not None:
        data.currency = _currency(data.currency)
    if data.promised_at is not None:
        data.promised_at = instant(data.promised_at, "data.promised_at")
    if data.requested_at is not None:
        data.requested_at = instant(data.requested_at, "data.requested_at")
    objects = b""
    text = _encode(data)
    # A list, or something empty; quotes inside a text are written with a backslash, so a text may only look like one.
    if scope or b'":[' in text or b'""' in text:
        objects = settle_objects(data, scope)
        for name in _TEXTS:
            if getattr(data, name) == "":
                setattr(data, name, None)
        text = _encode(data)
    return objects + b"," + text[1:-1] if text != b"{}" else objects


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


def numbered(sequence: object) -> int | None:
    """Return the CloudEvents `sequence` as a number, None for one that does not count (any text is allowed)."""
    if isinstance(sequence, int) and not isinstance(sequence, bool):
        return sequence if 0 <= sequence <= MAX_NUMBER else None
    if isinstance(sequence, str) and len(sequence) <= MAX_DIGITS and sequence.isascii() and sequence.isdecimal():
        return int(sequence)
    return None


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
    if data is None:
        return None
    found = {}
    for name in sorted((allowed & data.keys()) - _FIELDS)[:MAX_ATTRIBUTES]:
        value = data[name]
        if isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, str | int):
            found[name] = str(value)[:MAX_ATTRIBUTE]
    return found or None


assert set(ORDER_ATTRIBUTES) <= _FIELDS, "an order attribute of the vocabulary is missing from the event"
