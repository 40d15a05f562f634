"""Rows of a batch file that say what the last file said already: a full extract gives news only.

A row is known by its natural key (`key:` of the decode block) and by a hash of what it says. A file that is read again
after a crash finds its own rows changed, as at the first time, so that it makes the same events again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.decoders import Unit
from collector.sink import Unavailable
from tower.store.client import Store
from tower.store.sql import load

_encode = msgspec.json.Encoder(order="deterministic").encode


class Rows:
    """The rows of one file against those that its connection told of before. edition: of the mappings that read them,
    since rows that another mapping read are to be read again.
    """

    def __init__(self, store: Store, connection: str, raw_id: str, edition: str) -> None:
        self._store = store
        self._connection = connection
        self._version = version_of(raw_id)
        self._edition = edition
        self._known: tuple[array[int], array[int], array[int]] | None = None
        self._told: dict[int, int] = {}
        self.unchanged = 0

    def says_nothing_new(self, unit: Unit) -> bool:
        """Return whether a row is as it was; a document without a key never is. Raises Unavailable."""
        key = unit.document.get("key")
        if not isinstance(key, str):
            return False
        what = unit.document
        identity = _hash(_encode([what["type"], key]))
        said = _hash(_encode([what["row"], what["up"], self._edition]))
        before = self._told.get(identity)
        if before is None:
            before = self._before(identity)
        if before == said:
            self.unchanged += 1
            return True
        self._told[identity] = said
        return False

    def save(self, client: Client) -> None:
        """Keep what the file said; its events are durable. Raises Unavailable."""
        if not self._told:
            return
        count = len(self._told)
        columns: list[list[Any]] = [[self._connection] * count, list(self._told), list(self._told.values())]
        columns.append([self._version] * count)
        try:
            client.insert(
                "file_rows", columns, column_names=["connection", "key", "hash", "version"], column_oriented=True
            )
        except (ClickHouseError, OSError) as error:
            raise Unavailable(str(error)) from error

    def _before(self, identity: int) -> int | None:
        if self._known is None:
            self._known = self._load()
        keys, hashes, versions = self._known
        at = bisect_left(keys, identity)
        if at == len(keys) or keys[at] != identity or versions[at] == self._version:
            return None
        return hashes[at]

    def _load(self) -> tuple[array[int], array[int], array[int]]:
        try:
            with self._store.reader() as client:
                found = client.raw_query(
                    load("file_rows"), parameters={"connection": self._connection}, fmt="RowBinary"
                )
        except (ClickHouseError, OSError) as error:
            raise Unavailable(str(error)) from error
        numbers = array("Q")
        numbers.frombytes(found)
        return numbers[0::3], numbers[1::3], numbers[2::3]


def version_of(raw_id: str) -> int:
    """Return a number that rises from file to file: the instant of its message, and 16 bits of what it is."""
    return int(raw_id[:16], 16)


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
