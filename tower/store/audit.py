"""The audit: who did what to the outside world, in one hash chain from the first row ever.

Only the engine appends. A row is synced before the act it records. Anyone may verify: each hash covers the hash
before it and every column of its own row, so a changed, removed or inserted row shows at its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from tower.store.client import Store
from tower.store.sql import load

COLUMNS = ["seq", "at", "actor", "act", "subject", "why", "detail", "previous", "hash"]
_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done: actor did act to subject because of why. (act, subject) names it for `append`."""

    actor: str
    act: str
    subject: str
    why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class Audit:
    """The chain of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def append(self, entries: Sequence[Entry], at: datetime) -> int:
        """Add what is not there yet, synced on return; return how many rows were added.

        An entry whose (act, subject) is in the chain already is left out, so a tick that is repeated after a kill
        records nothing twice.
        """
        if not entries:
            return 0
        with self.store.writer() as client:
            subjects = sorted({e.subject for e in entries})
            present = set(client.query(load("audit_present"), parameters={"subjects": subjects}).result_rows)
            head = client.query(load("audit_head")).result_rows
            seq, previous = head[0] if head else (0, "")
            rows: list[list[Any]] = []
            moment = _milliseconds(at)
            for entry in entries:
                if (entry.act, entry.subject) in present:
                    continue
                present.add((entry.act, entry.subject))
                seq += 1
                detail = msgspec.json.encode(entry.detail, order="deterministic").decode()
                values = (seq, moment, entry.actor, entry.act, entry.subject, entry.why, detail)
                digest = chain_hash(previous, values)
                rows.append([*values, previous, digest])
                previous = digest
            if rows:
                client.insert("audit", rows, column_names=COLUMNS)
            return len(rows)

    def verify(self) -> int | None:
        """Return the first broken seq, None when the chain is whole. Rows number from 1 without a gap."""
        expected, previous = 1, ""
        for *values, said_previous, said_hash in self.rows():
            if values[0] != expected or said_previous != previous or said_hash != chain_hash(previous, values):
                return min(expected, int(values[0]))
            expected, previous = expected + 1, said_hash
        with self.store.reader() as client:
            stray = client.query(load("audit_stray")).result_rows
        return int(stray[0][0]) if stray else None

    def rows(self, after: int = 0, until: int | None = None) -> Iterator[Sequence[Any]]:
        """Yield rows with every column in the order of seq: those behind `after`, up to `until` and with it."""
        while True:
            with self.store.reader() as client:
                parameters = {"after": after, "limit": _PAGE}
                page = client.query(load("audit_chain"), parameters=parameters).result_rows
            for row in page:
                if until is not None and row[0] > until:
                    return
                yield row
            if len(page) < _PAGE:
                return
            after = int(page[-1][0])


def chain_hash(previous: str, values: Sequence[Any]) -> str:
    """Return sha256 over the previous hash and the row (seq, at, actor, act, subject, why, detail) as a JSON list."""
    seq, at, *texts = values
    row = [seq, _milliseconds(at).isoformat(timespec="milliseconds"), *texts]
    return hashlib.sha256(previous.encode() + msgspec.json.encode(row)).hexdigest()


def _milliseconds(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
