"""A file to lines for the events journal: all that it says, or why none of it counts.

One row that cannot be read refuses the whole file, since a half-read batch is worse than a late one. Documents that no
mapping knows wait in quarantine by themselves, and rows that say nothing new are left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

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


class Read(NamedTuple):
    """What became of a file, and the rows to remember once its events are durable."""

    made: Made
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
            return Read(found)
        connection, system = found
        rows = Rows(self._store, connection.name, message.raw_id, system.edition)
        inner = Fresh(fresh)
        watched = _Watched(
            system.outcomes(
                body, context_of(connection, message), rows.says_nothing_new, self._mapper.watch(message, body)
            )
        )
        made = self._mapper.made(connection, message, watched, inner)
        if made.quarantined > watched.unmapped:
            return Read(made._replace(lines=(), events=0))
        heard, _ = self._mapper.take(connection, message, _heartbeat(connection, message), inner)
        inner.settle()
        return Read(made._replace(lines=[*made.lines, *heard]), rows)


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
