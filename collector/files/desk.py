"""One file to one native message, and whether its content was taken before.

Identity is (connection, content): a file under another name is the same file. Content that was refused whole may come
again, since what was wrong may have been the mapping.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from collector.limits import MAX_ID
from collector.raw.message import RawMessage, digest_of, raw_id_of, read_line
from tower.model.progress import Progress
from tower.store.client import Store
from tower.store.seal import Seal
from tower.store.sql import load

METHOD = "FILE"


class Taken(NamedTuple):
    """A file that is durable, and perhaps not stored yet."""

    raw_id: str
    position: int


class FileDesk:
    """Makes messages of files. Used by the watcher's thread and the door's; progress is of the files' journal."""

    def __init__(self, store: Store, seal: Seal, progress: Progress) -> None:
        self._store = store
        self._seal = seal
        self._progress = progress
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, str], Taken] = {}

    def recall(self, unstored: Iterable[bytes], end: int) -> None:
        """Learn the files among journal lines before end that are not in the store yet."""
        for message in map(read_line, unstored):
            self.remember(message, end)

    def firsts(self, connection: str, digests: Collection[str]) -> dict[str, str]:
        """Return the raw ids of the files with these contents, by content; new ones are left out.

        Raises ClickHouseError.
        """
        with self._lock:
            self._recent = {k: taken for k, taken in self._recent.items() if taken.position > self._progress.stored}
            recent = {d: self._recent[connection, d].raw_id for d in digests if (connection, d) in self._recent}
        with self._store.reader() as client:
            parameters = {"connection": connection, "digests": [d for d in digests if d not in recent]}
            rows = client.query(load("files_known"), parameters=parameters).result_rows
        recent.update((digest, raw_id) for digest, raw_id in rows)
        return recent

    def remember(self, message: RawMessage, position: int) -> None:
        """Note a file that is durable up to a position of the journal."""
        with self._lock:
            self._recent[message.connection, message.sha256] = Taken(message.raw_id, position)

    def message(
        self, connection: str, scheme: str, name: str, body: bytes, at: datetime, changed_at: datetime | None
    ) -> RawMessage:
        """Return the message of a file that is taken at a moment."""
        digest = digest_of(body)
        raw_id = raw_id_of(connection, digest, at)
        name = plain(name)[:MAX_ID]
        headers = {"x-file-name": name}
        if changed_at is not None:
            headers["x-file-changed-at"] = changed_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return RawMessage(
            raw_id=raw_id,
            connection=connection,
            received_at=at,
            method=METHOD,
            headers=headers,
            query={},
            size=len(body),
            sha256=digest,
            event_id="",
            topic=name,
            scheme=scheme,
            body=self._seal.seal(raw_id, body),
        )


def plain(name: str) -> str:
    """Return a file's name as text, also where its bytes are none."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
