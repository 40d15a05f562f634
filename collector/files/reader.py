"""A file to lines for the events journal: all that it says, or why none of it counts.

One row that cannot be read refuses the whole file, since a half-read batch is worse than a late one. Documents that no
mapping knows wait in quarantine by themselves, and rows that say nothing new are left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple

from collector.decoders.numbers import Number
from collector.files.rows import Rows
from collector.mapping import Outcome
from collector.mapping.context import rfc3339
from collector.mapping.model import Mapped
from collector.raw.fresh import Fresh
from collector.raw.mapper import Made, Mapper, context_of
from collector.raw.message import RawMessage
from rules.vocabulary import HEARTBEAT, TYPE_PREFIX
from tower.model.connection import Connection
from tower.store.client import Store

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:o2c:file")
_OWN = "unmapped_payload"  # the one reason that concerns a document alone
_MOST_FAULTS = 100
_PART = 1000  # documents whose lines are made in one go
_IN_MEMORY = 8 << 20


class Lines:
    """The journal lines of one file: in memory while they are few, on disk beyond that."""

    def __init__(self) -> None:
        self._spool = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed with the last read

    def add(self, lines: Iterable[bytes | bytearray]) -> None:
        """Append whole lines."""
        self._spool.writelines(lines)

    def chunk(self, at: int, size: int) -> bytes:
        """Return whole lines from a position, about `size` bytes of them, b'' at the end."""
        self._spool.seek(at)
        return self._spool.read(size) + self._spool.readline()

    def close(self) -> None:
        """Forget them."""
        self._spool.close()


class Read(NamedTuple):
    """What became of a file: its lines, and the rows to remember once those are durable."""

    made: Made
    lines: Lines
    rows: Rows | None = None

    @property
    def unchanged(self) -> int:
        """How many rows said nothing new."""
        return self.rows.unchanged if self.rows else 0


class FileReader:
    """Reads the files of all connections."""

    def __init__(self, store: Store, mapper: Mapper) -> None:
        self._store = store
        self._mapper = mapper

    def read(self, message: RawMessage, body: bytes, fresh: Fresh) -> Read:
        """Return what a file says. fresh tells what was said before, and learns it unless the file is refused.

        Raises Unavailable when the rows of earlier files cannot be read now.
        """
        found = self._mapper.readers(message)
        if isinstance(found, Made):
            return told(found)
        connection, system = found
        rows = Rows(self._store, connection.name, message.raw_id, system.edition)
        watched = _Watched(
            system.outcomes(
                body, context_of(connection, message), rows.says_nothing_new, self._mapper.watch(message, body)
            )
        )
        outcomes = iter(watched)
        inner, lines, whole = Fresh(fresh), Lines(), _Whole()
        with ExitStack() as unless_read:
            unless_read.callback(lines.close)
            while part := list(islice(outcomes, _PART)):
                made = self._mapper.made(connection, message, part, inner)
                lines.add(made.lines)
                whole.add(made)
            if len(whole.unusable) > watched.unmapped:
                return told(whole.made()._replace(events=0, stated=()))
            heard, _ = self._mapper.take(connection, message, _heartbeat(connection, message), inner)
            lines.add([*heard, *whole.unusable])
            inner.settle()
            unless_read.pop_all()
        return Read(whole.made(), lines, rows)


def told(made: Made) -> Read:
    """Return a file of which nothing counts, with why."""
    lines = Lines()
    lines.add(made.unusable)
    return Read(made, lines)


@dataclass(slots=True)
class _Whole:
    """What the parts of a file came to."""

    unusable: list[bytes] = field(default_factory=list)
    events: int = 0
    labels: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stated: list[str] = field(default_factory=list)
    numbers: dict[Number, None] = field(default_factory=dict)

    def add(self, part: Made) -> None:
        self.unusable += part.unusable
        self.events += part.events
        self.labels |= dict.fromkeys(label for label in part.mapping.split(",") if label)
        self.notes += part.notes
        self.stated += part.stated
        self.numbers |= dict.fromkeys(part.numbers)

    def made(self) -> Made:
        return Made((), self.unusable, self.events, ",".join(self.labels), self.notes, self.stated, list(self.numbers))


class _Watched:
    """Outcomes as they pass, cut short where a file is full of faults."""

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        self._outcomes = outcomes
        self._faults = 0
        self.unmapped = 0

    def __iter__(self) -> Iterator[Outcome]:
        for outcome in self._outcomes:
            yield outcome
            if outcome.reason == _OWN:
                self.unmapped += 1
            elif outcome.reason:
                self._faults += 1
                if self._faults >= _MOST_FAULTS:
                    return


def _heartbeat(connection: Connection, message: RawMessage) -> Outcome:
    """Return that the connection was heard: a file without news is one, too."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid.uuid5(_NAMESPACE, message.raw_id)),
        "source": connection.source,
        "type": f"{TYPE_PREFIX}{HEARTBEAT}",
        "time": rfc3339(message.received_at),
    }
    return Outcome("", events=(Mapped(event),))
