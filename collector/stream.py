"""One journal with its drain: what a door hands bytes to."""

from __future__ import annotations

import asyncio
import queue
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from collector.checkpoint import Checkpoint
from collector.drain import Drain
from collector.journal import Journal, JournalError
from collector.sink import Destination, Unavailable
from tower.model.problem import Problem
from tower.settings import Settings
from tower.store.client import Store

_DISK_LOOK_S = 0.5
_READ_BYTES = 8 << 20


class Stream:
    """Durable bytes on their way to one table, with a bounded backlog."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        sink: Destination,
        settings: Settings,
        on_stored: Callable[[int], None] = lambda _position: None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._sink = sink
        self._on_stored = on_stored
        self.journal = Journal(folder)
        self._drain: Drain | None = None
        self._looked_at = 0.0
        self._free = 0

    def start(self) -> None:
        """Begin to drain."""
        self._sink.prepare()
        self._drain = Drain(self.journal, self._store, self._sink, self._on_stored)
        self._drain.start()

    def stop(self, timeout_s: float) -> None:
        """Sync what was submitted, store it for at most timeout_s, and stop."""
        self.journal.close()
        if self._drain is not None:
            self._drain.stop(timeout_s)

    @property
    def trouble(self) -> str | None:
        """Why this stream is not well, None while it is."""
        return self.journal.failure or (self._drain.trouble if self._drain else "not started") or self._full()

    @property
    def refused(self) -> int:
        """Lines that the store refused, now in quarantine."""
        return self._drain.refused if self._drain else 0

    def admit(self) -> None:
        """Raise Problem 429 or 503 while no more can be taken."""
        if self.journal.backlog_bytes > self._settings.backlog_mb << 20:
            raise Problem(
                429,
                "backlog",
                f"more than {self._settings.backlog_mb} MiB are waiting to be stored; try again later",
                retry_after_s=2,
            )
        if full := self._full():
            raise Problem(503, "disk_full", full, retry_after_s=10)

    async def commit(self, data: bytes | bytearray) -> int:
        """Return the journal position after data once it is synced. Raises Problem 503 if it could not be."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()

        def settle(outcome: int | JournalError) -> None:
            if future.done():
                return
            if isinstance(outcome, JournalError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        def done(outcome: int | JournalError) -> None:
            # A loop that has ended has no one left to answer.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, outcome)

        self.journal.submit(data, done)
        try:
            return await future
        except JournalError as error:
            raise Problem(503, "journal_failed", f"nothing was kept: {error}; send it again", retry_after_s=5) from None

    def commit_here(self, data: bytes) -> int:
        """Return the journal position after data once it is synced, on a thread that may wait. Raises Unavailable."""
        if self.journal.backlog_bytes > self._settings.backlog_mb << 20:
            raise Unavailable("too much is waiting to be stored")
        settled: queue.SimpleQueue[int | JournalError] = queue.SimpleQueue()
        self.journal.submit(data, settled.put)
        outcome = settled.get()
        if isinstance(outcome, JournalError):
            raise Unavailable(str(outcome)) from outcome
        return outcome

    def unstored(self) -> Iterator[bytes]:
        """Yield the lines that are synced and not yet stored, before the drain starts."""
        checkpoint = Checkpoint(self.journal.folder / "stored", self.journal.begin)
        at, lines = self.journal.read(checkpoint.stored, _READ_BYTES)
        checkpoint.close()
        while lines:
            yield from lines.splitlines()
            at, lines = self.journal.read(at + len(lines), _READ_BYTES)

    def _full(self) -> str | None:
        now = time.monotonic()
        if now - self._looked_at > _DISK_LOOK_S:
            self._free = shutil.disk_usage(self.journal.folder).free
            self._looked_at = now
        if self._free < self._settings.disk_floor_mb << 20:
            return f"less than {self._settings.disk_floor_mb} MiB of disk are free; make room"
        return None
