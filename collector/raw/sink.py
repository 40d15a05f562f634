"""From the raw journal to the store: each message is mapped, its events are synced in their own journal, then its row
is inserted. One checkpoint covers all three, and a repeat makes the same events again.
"""

from __future__ import annotations

import msgspec
import structlog
from clickhouse_connect.driver.client import Client

from collector.identity import Identities
from collector.raw.fresh import Fresh
from collector.raw.mapper import Made, Mapper
from collector.raw.message import RawMessage, read_line
from collector.sink import Sink, Table
from collector.stats import Totals
from collector.stream import Stream
from tower.store.client import Store
from tower.store.seal import Seal, SealError

_log = structlog.get_logger(__name__)


class RawSink:
    """The end of the raw journal."""

    def __init__(self, store: Store, seal: Seal, mapper: Mapper, events: Stream, totals: Totals) -> None:
        self._rows = Sink(store, Table("raw"))
        self._seal = seal
        self._mapper = mapper
        self._events = events
        self._totals = totals
        self._identities = Identities()
        self._last: tuple[str, bytes] | None = None
        self.table = Table("raw", plain_row)

    def prepare(self) -> None:
        """Nothing is to be done beforehand."""

    def insert(self, client: Client, lines: bytes, token: str) -> None:
        """Map whole lines, sync their events, insert their rows. Raises Refused or Unavailable.

        While the store takes no rows the same block comes again: it is not mapped a second time.
        """
        if self._last is None or self._last[0] != token:
            self._mapper.mappings.look()
            fresh = Fresh(self._identities)
            rows: list[bytes] = []
            events: list[bytes | bytearray] = []
            for line in lines.splitlines():
                message = read_line(line)
                made = self._read(message, fresh)
                events += [*made.lines, *made.unusable]
                rows.append(row_of(line, made))
                self._count(message.connection, made)
            if events:
                self._events.commit_here(b"".join(events))
            fresh.settle()
            self._last = (token, b"".join(rows))
        self._rows.insert(client, self._last[1], token)
        self._last = None

    def _read(self, message: RawMessage, fresh: Fresh) -> Made:
        try:
            return self._mapper.read(message, message.opened(self._seal), fresh)
        except SealError as error:
            return self._mapper.unusable(message, "mapping_failed", str(error))
        except Exception as error:  # noqa: BLE001  # the edge of one message: whatever it holds, the others go on
            _log.exception("mapping_crashed", raw_id=message.raw_id, connection=message.connection)
            return self._mapper.unusable(message, "mapping_failed", f"{type(error).__name__}: {error}")

    def _count(self, connection: str, made: Made) -> None:
        counts = self._totals.of(connection)
        counts.events += made.events
        counts.quarantined += made.quarantined
        counts.notes += len(made.notes)


def row_of(line: bytes, made: Made, unchanged: int = 0) -> bytes:
    """Return a journal line with what became of the message. unchanged: rows of a file that said nothing new."""
    outcome: dict[str, object] = {
        "outcome": made.outcome,
        "mapping": made.mapping,
        "events": made.events,
        "quarantined": made.quarantined,
        "unchanged": unchanged,
        "stated": made.stated,
    }
    if made.numbers:
        outcome |= {
            "numbers.sequence_of": [n.sequence_of for n in made.numbers],
            "numbers.sequence": [n.sequence for n in made.numbers],
        }
    return line[:-1] + b"," + msgspec.json.encode(outcome)[1:] + b"\n"


def plain_row(line: bytes, _error: str) -> bytes:
    """Return a refused message as the plainest row that still holds its body."""
    message = read_line(line)
    return msgspec.structs.replace(message, headers={}, query={}, event_id="", topic="").line()
