"""Kept messages read once more: to see what the mappings in force make of them, or to let that count.

What a message says now is compared with what is in force. The same is left alone; what differs is stated again with a
higher rank and supersedes; what an earlier mapping said and this one does not is withdrawn, but only when all messages
of a connection are read, since another message may have said it, too.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from collector.files.desk import METHOD
from collector.identity import Identities
from collector.mapping import MappingsError, Outcome
from collector.mapping.mapping_set import UNMAPPED
from collector.raw.fresh import Fresh
from collector.raw.mapper import Mapper
from collector.raw.message import RawMessage
from collector.sink import Unavailable
from collector.stream import Stream
from tower.model.problem import Problem
from tower.model.progress import Progress
from tower.store.client import Store
from tower.store.seal import Seal, SealError
from tower.store.sql import load

_PAGE = 200
_STORED_S = 30.0
_WITHDRAWN = "withdrawn"
Event = tuple[str, str]  # (source, event_id)


class _Stated(msgspec.Struct):
    """What of a journal line matters here."""

    source: str = ""
    event_id: str = ""
    quarantine: str = ""


_stated = msgspec.json.Decoder(_Stated).decode
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Reread:
    """What reading messages again came to, in events; quarantined counts the parts that still cannot be used."""

    messages: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    quarantined: int = 0
    unreadable: int = 0


class Again:
    """Reads kept messages again. One reading that counts at a time."""

    def __init__(self, store: Store, seal: Seal, mapper: Mapper, events: Stream, progress: Progress) -> None:
        self._store, self._seal, self._mapper = store, seal, mapper
        self._events, self._progress = events, progress
        self._one = threading.Lock()

    def kept(self, raw_id: str) -> tuple[RawMessage, bytes]:
        """Return a kept message and its body. Raises Problem 404 or 409."""
        with self._store.reader() as client:
            rows = client.query(load("raw_one"), parameters={"raw_id": raw_id}).result_rows
        if not rows:
            raise Problem(404, "not_found", f"no message {raw_id} is kept; one that just arrived is stored in a moment")
        message = RawMessage(*rows[0])
        if not message.body:
            raise Problem(409, "body_gone", f"the body of message {raw_id} was emptied")
        try:
            return message, message.opened(self._seal)
        except SealError as error:
            raise Problem(409, "body_sealed", str(error)) from None

    def preview(self, raw_id: str) -> list[Outcome]:
        """Return what the mappings on disk make of a kept message, document by document. Raises Problem."""
        self._refresh()
        message, body = self.kept(raw_id)
        return self._mapper.outcomes(message, body)

    def replay(self, raw_ids: Sequence[str]) -> Reread:
        """Let what messages say now count. Raises Problem; messages whose body is gone are counted as unreadable."""
        self._refresh()
        with self._one:
            total = Reread()
            for at in range(0, len(raw_ids), _PAGE):
                self._page(raw_ids[at : at + _PAGE], total)
            return total

    def of_order(self, order_id: str) -> list[str]:
        """Return the ids of the kept messages that an order's facts came from; empty where none is kept."""
        with self._store.reader() as client:
            rows = client.query(load("raw_of_order"), parameters={"order_id": order_id}).result_rows
        return sorted(row[0] for row in rows)

    def replay_connection(self, connection: str, told: Callable[[Reread], None] | None = None) -> Reread:
        """Read every kept message of a connection again and withdraw what none of them says any longer."""
        self._refresh()
        with self._one:
            total, after = Reread(), ""
            said: set[Event] = set()
            before: dict[Event, dict[str, Any]] = {}
            while ids := self._ids(connection, after):
                before |= self._made(ids)
                said |= self._page(ids, total)
                after = ids[-1]
                if told is not None:
                    told(total)
            gone = [row for event, row in before.items() if event not in said]
            if gone:
                self._commit([_withdrawal(row) for row in gone])
            total.withdrawn = len(gone)
            return total

    def _page(self, raw_ids: Sequence[str], total: Reread) -> set[Event]:
        """Read some messages, commit what differs, and return every event that they state."""
        fresh = Fresh(Identities())
        lines: dict[Event, bytes] = {}
        unusable: list[bytes] = []
        read: list[str] = []
        for raw_id in raw_ids:
            try:
                message, body = self.kept(raw_id)
            except Problem as problem:
                if problem.code == "not_found":
                    raise
                total.unreadable += 1
                continue
            read.append(raw_id)
            made = self._mapper.read(message, body, fresh)
            unusable += made.unusable
            # A file is taken whole or not at all, see collector.files.reader.
            refused = message.method == METHOD and any(_stated(u).quarantine != UNMAPPED for u in made.unusable)
            for line in () if refused else _lines(made.lines):
                stated = _stated(line)
                if stated.quarantine:
                    unusable.append(line)
                else:
                    lines[(stated.source, stated.event_id)] = line
        total.messages += len(read)
        total.quarantined += len(unusable)
        news = self._news(lines)
        total.new += sum(1 for _, known in news.values() if not known)
        total.changed += sum(1 for _, known in news.values() if known)
        total.unchanged += len(lines) - len(news)
        started = self._now_ms()
        self._commit([line for line, _ in news.values()] + unusable)
        if read:
            parameters = {"raw_ids": read, "before_ms": started}
            with self._store.writer() as client:
                client.command(load("quarantine_mark_raw"), parameters=parameters)
        return set(lines)

    def _news(self, lines: Mapping[Event, bytes]) -> dict[Event, tuple[bytes, bool]]:
        """Return the lines that must be stated, each with its rank, and whether it supersedes something.

        What was said and lost against a statement of the same mapping lost by rule, and is not stated again.
        """
        news: dict[Event, tuple[bytes, bool]] = {}
        for row in self._compared(b"".join(lines.values())) if lines else ():
            event = (row["source"], row["event_id"])
            if not row["known"]:
                news[event] = (lines[event], False)
            elif not row["holds"] and not (row["said"] and row["made_by"] == row["mapping"]):
                news[event] = (_ranked(lines[event], int(row["rank"]) + 1), True)
        return news

    def _compared(self, block: bytes) -> list[dict[str, Any]]:
        with self._store.reader() as client:
            client.command("CREATE OR REPLACE TEMPORARY TABLE again_lines ENGINE = Memory AS arrivals")
            client.command("CREATE OR REPLACE TEMPORARY TABLE again ENGINE = Memory AS events")
            try:
                settings = {"date_time_input_format": "best_effort"}
                client.raw_insert("again_lines", insert_block=block, fmt="JSONEachRow", settings=settings)
                client.command(_as_rows(client))
                found = client.query(load("again_news"))
                return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
            finally:
                client.command("DROP TEMPORARY TABLE again")
                client.command("DROP TEMPORARY TABLE again_lines")

    def _made(self, raw_ids: Sequence[str]) -> dict[Event, dict[str, Any]]:
        with self._store.reader() as client:
            found = client.query(load("again_made"), parameters={"raw_ids": list(raw_ids)})
            rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
        return {(row["source"], row["event_id"]): row for row in rows}

    def _ids(self, connection: str, after: str) -> list[str]:
        parameters = {"connection": connection, "after": after, "limit": _PAGE}
        with self._store.reader() as client:
            return [row[0] for row in client.query(load("raw_page"), parameters=parameters).result_rows]

    def _now_ms(self) -> int:
        """Return the store's own moment, which `stored_at` is compared with."""
        with self._store.reader() as client:
            return int(client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0])

    def _commit(self, lines: Iterable[bytes]) -> None:
        """Sync lines and wait until they are stored. Raises Problem 503."""
        block = b"".join(lines)
        if not block:
            return
        try:
            position = self._events.commit_here(block)
        except Unavailable as error:
            raise Problem(503, "journal_failed", f"nothing was changed: {error}", retry_after_s=5) from None
        if not self._progress.wait_stored(position, _STORED_S):
            raise Problem(
                503, "not_stored_yet", "it is in the journal and will be stored; look again later", retry_after_s=5
            )

    def _refresh(self) -> None:
        try:
            self._mapper.mappings.refresh()
        except MappingsError as error:
            raise Problem(409, "mappings_broken", f"the mappings on disk cannot be used: {error.problems[0]}") from None


def _as_rows(client: Client) -> str:
    """Return the statement that makes rows of `again` from lines as the store makes those of `events`."""
    view = "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = 'arrivals_mv'"
    ((select,),) = client.query(view).result_rows
    select = re.sub(r"FROM \S*arrivals\Z", "FROM again_lines", select)
    columns = [row[0] for row in client.query(f"DESCRIBE ({select})").result_rows]
    return f"INSERT INTO again ({', '.join(columns)}) {select}"


def _lines(blocks: Iterable[bytes | bytearray]) -> list[bytes]:
    return [line + b"\n" for block in blocks for line in bytes(block).splitlines()]


def _ranked(line: bytes, rank: int) -> bytes:
    return b'{"rank":%d,%b' % (rank, line[1:])


def _withdrawal(row: Mapping[str, Any]) -> bytes:
    """Return the line that takes an event back: it outranks what was said and stands on no object."""
    return _encode({**row, "polarity": _WITHDRAWN, "rank": int(row["rank"]) + 1}) + b"\n"
