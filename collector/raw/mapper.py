"""A kept message to lines for the events journal: usable events, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from collector.contracts.drift import Drift
from collector.contracts.watch import Watch
from collector.decoders.numbers import Number
from collector.intake import take
from collector.mapping import Context, Outcome, System
from collector.mapping.apply import TIME_FIELDS
from collector.raw.fresh import Fresh
from collector.raw.mappings import Mappings
from collector.raw.message import RawMessage
from collector.raw.unusable import unusable_line
from collector.raw.version import version_number
from collector.senders import Sender
from collector.stats import Totals
from tower.model.connection import Connection
from tower.model.connections import Connections

_encode = msgspec.json.Encoder().encode


class Made(NamedTuple):
    """What became of a message: lines of events, and one of each part that could not be used.

    mapping: name@version:hash8 of what read it; notes: what its envelope got wrong; stated: ids of its events, also of
    those that were heard before; numbers: its control numbers, each once.
    """

    lines: Sequence[bytes | bytearray] = ()
    unusable: Sequence[bytes] = ()
    events: int = 0
    mapping: str = ""
    notes: Sequence[str] = ()
    stated: Sequence[str] = ()
    numbers: Sequence[Number] = ()

    @property
    def quarantined(self) -> int:
        """How many parts could not be used."""
        return len(self.unusable)

    @property
    def outcome(self) -> str:
        """The word for it, as table `raw` says."""
        if self.events:
            return "partly" if self.quarantined else "mapped"
        return "quarantined" if self.quarantined else "ignored"


class Mapper:
    """Reads the messages of all connections, each with its mapping set."""

    def __init__(
        self,
        connections: Connections,
        mappings: Mappings,
        milestones: Callable[[], frozenset[str]],
        drift: Drift,
        totals: Totals,
    ) -> None:
        self.mappings = mappings
        self._drift, self._totals = drift, totals
        self._connections = connections
        self._milestones = milestones

    def read(self, message: RawMessage, body: bytes, fresh: Fresh) -> Made:
        """Return what a message says. fresh tells and learns what was said before."""
        found = self.readers(message)
        if isinstance(found, Made):
            return found
        connection, system = found
        outcomes = system.outcomes(body, context_of(connection, message), None, self.watch(message, body))
        return self.made(connection, message, outcomes, fresh)

    def watch(self, message: RawMessage, body: bytes) -> Watch:
        """Return what is asked before each document of a message is read."""
        return Watch(self.mappings.contracts, self._drift, self._totals, message, body)

    def readers(self, message: RawMessage) -> tuple[Connection, System] | Made:
        """Return the connection of a message and the mappings that read it, or that there are none."""
        connection = self._connections.named(message.connection)
        if connection is None:
            detail = "its connection is no longer configured; add it to the connections file and replay"
            return self.unusable(message, "unmapped_payload", detail)
        system = self.mappings.system(connection.name)
        if system is None:
            detail = "its connection names no mapping; write mapping: in the connections file and replay"
            return self.unusable(message, "unmapped_payload", detail)
        return connection, system

    def outcomes(self, message: RawMessage, body: bytes) -> list[Outcome]:
        """Return what each document of a message would become."""
        found = self.readers(message)
        if isinstance(found, Made):
            return [Outcome("", reason="unmapped_payload", detail="its connection is gone, or names no mapping")]
        connection, system = found
        watch = self.watch(message, body)
        return list(system.outcomes(body, context_of(connection, message), None, watch))

    def unusable(self, message: RawMessage, reason: str, detail: str) -> Made:
        """Return that a whole message could not be used."""
        connection = self._connections.named(message.connection)
        kind, source = (connection.kind, connection.source) if connection else ("", "")
        return Made(unusable=[unusable_line(message, kind, source, reason, detail)])

    def made(self, connection: Connection, message: RawMessage, outcomes: Iterable[Outcome], fresh: Fresh) -> Made:
        """Return the lines of what became of each document."""
        lines: list[bytes | bytearray] = []
        unusable: list[bytes] = []
        notes: list[str] = []
        labels: dict[str, None] = {}
        stated: list[str] = []
        numbers: dict[Number, None] = {}
        events = 0
        for outcome in outcomes:
            notes += outcome.notes
            numbers |= dict.fromkeys(outcome.numbers)
            if outcome.mapping:
                labels[outcome.mapping] = None
            refused = [(outcome.reason, outcome.detail)] if outcome.reason else []
            if outcome.events:
                taken, wrong = self.take(connection, message, outcome, fresh)
                lines += taken
                stated += [mapped.event["id"] for mapped in outcome.events]
                events += len(outcome.events) - len(wrong)
                refused += wrong
            unusable += [
                unusable_line(
                    message,
                    connection.kind,
                    connection.source,
                    *why,
                    position=outcome.position,
                    mapping=outcome.mapping,
                )
                for why in refused
            ]
        return Made(lines, unusable, events, ",".join(labels), notes, stated, list(numbers))

    def take(
        self, connection: Connection, message: RawMessage, outcome: Outcome, fresh: Fresh
    ) -> tuple[list[bytes | bytearray], list[tuple[str, str]]]:
        """Return the journal lines of a document's events, and (reason, detail) of those that are none after all."""
        raws = []
        version = 0
        for mapped in outcome.events:
            event = dict(mapped.event)
            if connection.partner and "data" in event:  # what a message calls partner, such as its carrier, is another
                event["data"] = {**event["data"], "partner": connection.partner}
            version = version_number(str(event.pop("sequence", "")))
            raws.append(_encode(event))
        batch = take(
            raws,
            senders=_Mapped(connection, message, outcome.mapping, version),
            milestones=self._milestones(),
            identities=fresh,
            now=message.received_at,
            utf8=True,
        )
        fresh.remember(batch.fresh)
        wrong = [
            ("mapping_failed", f"{outcome.mapping} makes an event that is none: {r.detail}")
            for r in batch.reply.rejected
        ]
        return [batch.lines] if batch.lines else [], wrong


class _Mapped:
    """The sender behind every event of one document: the connection itself, with where the event was made from."""

    def __init__(self, connection: Connection, message: RawMessage, mapping: str, version: int) -> None:
        head: dict[str, Any] = {
            "received_at": message.received_at,
            "connection": connection.name,
            "kind": connection.kind,
            "raw_id": message.raw_id,
            "mapping": mapping,
        }
        if version:
            head["source_version"] = version
        self._sender = Sender(
            True,
            connection.name,
            connection.kind,
            connection.scope,
            connection.attributes | frozenset(TIME_FIELDS),
            _encode(head)[1:-1],
        )

    def find(self, _source: str) -> Sender:
        """Return the sender."""
        return self._sender


def context_of(connection: Connection, message: RawMessage) -> Context:
    """Return a message's surroundings."""
    meta: dict[str, Any] = {"raw_id": message.raw_id, "topic": message.topic}
    if name := message.headers.get("x-file-name"):
        meta |= {"file": name, "file_changed_at": message.headers.get("x-file-changed-at")}
    return Context(
        connection=connection.name,
        kind=connection.kind,
        source=connection.source,
        received_at=message.received_at,
        zone=connection.zone,
        currency=connection.currency,
        company=connection.company,
        codes=connection.codes,
        headers=message.headers,
        query=message.query,
        meta=meta,
    )
