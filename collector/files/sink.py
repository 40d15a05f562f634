"""From the journal of files to the store, one file after the other: it is read to its end, its events are synced in
their own journal, then its rows are remembered, then its message is stored. A repeat makes the same events again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog
from clickhouse_connect.driver.client import Client

from collector.files.reader import FileReader, Read, told
from collector.identity import Identities
from collector.raw.fresh import Fresh
from collector.raw.mapper import Mapper
from collector.raw.message import RawMessage, read_line
from collector.raw.sink import plain_row, row_of
from collector.sink import Sink, Table, Unavailable
from collector.stats import Totals
from collector.stream import Stream
from tower.store.client import Store
from tower.store.seal import Seal, SealError

_log = structlog.get_logger(__name__)
_CHUNK_BYTES = 16 << 20


@dataclass(slots=True)
class _Open:
    """A file that has been read, and how many bytes of its lines are durable."""

    read: Read
    fresh: Fresh
    synced: int = 0


@dataclass(slots=True)
class _Block:
    """How far a block has come: the rows of the files that are done, and the one that is under way."""

    token: str
    rows: list[bytes] = field(default_factory=list)
    open: _Open | None = None


class FileSink:
    """The end of the journal of files."""

    def __init__(self, store: Store, seal: Seal, mapper: Mapper, events: Stream, totals: Totals) -> None:
        self._rows = Sink(store, Table("raw"))
        self._seal = seal
        self._mapper = mapper
        self._reader = FileReader(store, mapper)
        self._events = events
        self._totals = totals
        self._identities = Identities()
        self._block = _Block("")
        self.table = Table("raw", plain_row)

    def prepare(self) -> None:
        """Nothing is to be done beforehand."""

    def insert(self, client: Client, lines: bytes, token: str) -> None:
        """See whole files through. Raises Refused or Unavailable; the same block then goes on where it stood."""
        if self._block.token != token:
            if self._block.open is not None:
                self._block.open.read.lines.close()
            self._block = _Block(token)
        self._mapper.mappings.look()
        for line in lines.splitlines()[len(self._block.rows) :]:
            self._block.rows.append(self._see_through(client, line))
        self._rows.insert(client, b"".join(self._block.rows), token)
        self._block = _Block("")

    def _see_through(self, client: Client, line: bytes) -> bytes:
        """Return a file's row once its events are durable and its rows are remembered."""
        message = read_line(line)
        if self._block.open is None:
            fresh = Fresh(self._identities)
            self._block.open = _Open(self._read(message, fresh), fresh)
        under_way = self._block.open
        read, made = under_way.read, under_way.read.made
        while chunk := read.lines.chunk(under_way.synced, _CHUNK_BYTES):
            self._events.commit_here(chunk)
            under_way.synced += len(chunk)
        under_way.fresh.settle()
        if read.rows is not None:
            read.rows.save(client)
        read.lines.close()
        self._block.open = None
        counts = self._totals.of(message.connection)
        counts.events += made.events
        counts.quarantined += made.quarantined
        counts.notes += len(made.notes)
        return row_of(line, made, read.unchanged)

    def _read(self, message: RawMessage, fresh: Fresh) -> Read:
        try:
            return self._reader.read(message, message.opened(self._seal), fresh)
        except Unavailable:
            raise
        except SealError as error:
            return told(self._mapper.unusable(message, "mapping_failed", str(error)))
        except Exception as error:  # noqa: BLE001  # the edge of one file: whatever it holds, the others go on
            _log.exception("file_mapping_crashed", raw_id=message.raw_id, connection=message.connection)
            return told(self._mapper.unusable(message, "mapping_failed", f"{type(error).__name__}: {error}"))
