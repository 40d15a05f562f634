"""One table of the store as the end of a journal: inserts a block once, however often it is tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tower.store.client import Store

# A store that is full, busy, out of reach or set up wrongly: the same block can succeed later. Any other error is
# about the rows. Names: src/Common/ErrorCodes.cpp of ClickHouse.
RETRYABLE_CODES = frozenset(
    {3, 8, 16, 60, 74, 75, 76, 81, 115, 159, 160, 164, 173, 201, 202, 209, 210, 225, 236, 241, 242, 243, 252, 279, 285}
    | {290, 319, 394, 425, 439, 473, 497, 516, 571, 630, 667, 668, 689, 710, 722, 726, 735, 745, 999, 1000}
)


class Refused(Exception):
    """The store will not take these rows, now or later."""


class Unavailable(Exception):
    """The store cannot take rows now."""


@dataclass(frozen=True, slots=True)
class Table:
    """Where a journal's rows go, and how a line that the store refuses is put into quarantine, if it can be.

    linger: how many times as long as an insert took rows gather before the next one, unless they are many: what an
    operator waits for comes soon, what is looked up later comes in larger blocks.
    """

    name: str
    refused: Callable[[bytes, str], bytes] | None = None
    linger: float = 2


class Destination(Protocol):
    """Where a drain puts the lines of a journal."""

    @property
    def table(self) -> Table:
        """The table that the rows end in."""

    def prepare(self) -> None:
        """Do what is to be done once before the first insert."""

    def insert(self, client: Client, lines: bytes, token: str) -> None:
        """Insert whole lines once. Raises Refused or Unavailable."""


class Sink:
    """Inserts journal lines into a table, each block under a token."""

    def __init__(self, store: Store, table: Table) -> None:
        self._store = store
        self.table = table
        self._last_ms = 0

    def prepare(self) -> None:
        """Find the last stored_at. The tables themselves sync what they are given before an insert returns."""
        if self.table.name != "arrivals":
            return
        with self._store.reader() as client:
            ((latest,),) = client.query("SELECT toUnixTimestamp64Milli(max(stored_at)) FROM events").result_rows
        self._last_ms = latest

    def insert(self, client: Client, lines: bytes, token: str) -> None:
        """Insert whole lines once. Raises Refused or Unavailable."""
        self._wait_for_clock()
        try:
            # A column that the table does not have is refused: it must not get lost without a word.
            put(client, self.table.name, lines, "JSONEachRow", token, {"input_format_skip_unknown_fields": "0"})
        finally:
            self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)

    def _wait_for_clock(self) -> None:
        """Wait until the clock has passed the last insert: stored_at is the engine's cursor and must rise."""
        while time.time_ns() // 1_000_000 <= self._last_ms:
            time.sleep(0.0005)


def put(
    client: Client, table: str, block: bytes, fmt: str, token: str, settings: Mapping[str, str] | None = None
) -> None:
    """Insert a block into a table, once under its token. Raises Refused or Unavailable."""
    try:
        client.raw_insert(
            table,
            insert_block=block,
            fmt=fmt,
            settings={
                "insert_deduplication_token": token,
                "input_format_parallel_parsing": 0,
                "date_time_input_format": "best_effort",
                "max_partitions_per_insert_block": 0,
                **(settings or {}),
            },
        )
    except ClickHouseError as error:
        code = getattr(error, "code", None)
        if code in RETRYABLE_CODES or (code is None and not _quotes_rows(error)):
            raise Unavailable(str(error)) from error
        raise Refused(str(error)) from error
    except OSError as error:
        raise Unavailable(str(error)) from error


def _quotes_rows(error: BaseException | None) -> bool:
    """Return whether a complaint could not be read because it quotes rows and cuts them inside a character."""
    while error is not None:
        if isinstance(error, UnicodeDecodeError):
            return True
        error = error.__cause__ or error.__context__
    return False
