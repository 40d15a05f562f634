"""One request's events, each to its verdict: accepted, duplicate, quarantined or rejected. No input or output here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from collector.canonical import canonical
from collector.decode import decode, id_of, invalid_utf8
from collector.event import Event
from collector.limits import FUTURE
from collector.rejection import Rejection
from collector.senders import Sender


class Senders(Protocol):
    """Who is behind a source; see collector.senders.Senders."""

    def find(self, source: str) -> Sender: ...


class Known(Protocol):
    """What was heard before; see collector.identity.Identities."""

    def get(self, identity: int) -> int | None: ...


class Rejected(msgspec.Struct):
    """One event that is not kept, by its place in the request."""

    index: int
    id: str
    code: str
    detail: str


class Reply(msgspec.Struct):
    """The public answer to a request; the four add up to what was sent."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: list[Rejected] = []


@dataclass(slots=True)
class Batch:
    """What became of one request: the lines to journal, the answer, the identities that are new, and how many
    events of each connection with a share there were.
    """

    lines: bytearray = field(default_factory=bytearray)
    reply: Reply = field(default_factory=Reply)
    fresh: dict[int, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)


def take(
    raws: Iterable[bytes | msgspec.Raw],
    *,
    senders: Senders,
    milestones: frozenset[str],
    identities: Known,
    now: datetime,
    utf8: bool,
) -> Batch:
    """Return the verdict on each event. utf8 says that all bytes are known to be valid UTF-8."""
    batch = Batch()
    reply, fresh, lines = batch.reply, batch.fresh, batch.lines
    horizon = now + FUTURE
    for index, raw in enumerate(raws):
        try:
            if not utf8:
                _check_utf8(raw)
            event = decode(raw)
            sender = senders.find(event.source)
            if not sender.allowed:
                raise Rejection(
                    "forbidden_connection",
                    f"this token may not send for {_named(sender.connection)}, where source {event.source!r} belongs",
                )
            if sender.limited:
                batch.sent[sender.connection] = batch.sent.get(sender.connection, 0) + 1
            if sender.partner:
                _speak_for_partner(event, sender)
            line = canonical(event, raw, sender, milestones, horizon)
        except Rejection as refused:
            reply.rejected.append(Rejected(index, id_of(raw), refused.code, refused.detail))
            continue
        if line.reason:
            reply.quarantined += 1
            lines += line.text
            continue
        known = fresh.get(line.identity)
        if known is None:
            known = identities.get(line.identity)
        if known is None:
            fresh[line.identity] = line.content
            reply.accepted += 1
        elif known == line.content:
            reply.duplicate += 1
            continue
        elif line.heartbeat:
            reply.accepted += 1
        else:
            # Both bodies go to the store: which one counts must not depend on which came first.
            reply.quarantined += 1
        lines += line.text
    return batch


def _speak_for_partner(event: Event, sender: Sender) -> None:
    """See to it that an event of a partner's connection is about that partner. Raises Rejection."""
    data = event.data
    if data is None:
        return
    if data.partner and data.partner != sender.partner:
        raise Rejection(
            "forbidden_partner",
            f"connection {sender.connection!r} speaks for partner {sender.partner!r} only, not for {data.partner!r}"
            " - at `$.data.partner`",
        )
    data.partner = sender.partner


def _check_utf8(raw: bytes | msgspec.Raw) -> None:
    try:
        bytes(raw).decode()
    except UnicodeDecodeError:
        raise invalid_utf8() from None


def _named(connection: str) -> str:
    return f"connection {connection!r}" if connection else "sources without a connection"
