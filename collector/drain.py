"""From the journal to the store: byte ranges become blocks, in order, each exactly once.

A range is promised on disk before it is inserted and its token is made of its positions, so that a crash at any
moment repeats the same block, which the store then drops or completes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
import tenacity

from collector.checkpoint import Checkpoint
from collector.journal import Journal
from collector.sink import Destination, Refused, Unavailable
from tower.store.client import Store

_log = structlog.get_logger(__name__)
_BLOCK_BYTES = 24 << 20
_LINGER_S = 0.05  # at least this long after an insert lines gather, and so often it is looked whether they are many
_WORTH_BYTES = 1 << 20  # so much is worth an insert: its rows cost as much as the insert itself
_IDLE_S = 0.5


class Drain:
    """One thread that empties a journal into a table."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        sink: Destination,
        on_stored: Callable[[int], None],
        block_bytes: int = _BLOCK_BYTES,
    ) -> None:
        self._journal = journal
        self._store = store
        self._sink = sink
        self._on_stored = on_stored
        self._block_bytes = block_bytes
        self._checkpoint = Checkpoint(journal.folder / "stored", journal.begin)
        self._stop = threading.Event()
        self._finish_by: float | None = None
        self._trouble: tuple[float, str] | None = None
        self.refused = 0
        self._thread = threading.Thread(target=self._run, name=f"drain-{journal.folder.name}", daemon=True)

    def start(self) -> None:
        """Take up where the last process stopped."""
        self._journal.resume(self._checkpoint.stored)
        self._on_stored(self._checkpoint.stored)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Store what the journal holds, for at most timeout_s, and stop. What remains is stored at the next start."""
        self._finish_by = time.monotonic() + timeout_s
        self._stop.set()
        self._thread.join()
        self._checkpoint.close()

    @property
    def trouble(self) -> str | None:
        """Why nothing could be stored for some seconds, None while all is well."""
        trouble = self._trouble
        return trouble[1] if trouble and time.monotonic() - trouble[0] > 5 else None

    @property
    def stored(self) -> int:
        """Position up to which every line is in the store."""
        return self._checkpoint.stored

    def _run(self) -> None:
        while True:
            try:
                if not self._step():
                    return
            except GivenUp:
                return
            except Exception as error:  # noqa: BLE001  # the edge of the thread: whatever it is, the data stays and is tried again
                self._note(error)
                _log.exception("drain_failed", journal=self._journal.folder.name)
                self._stop.wait(1)
                if self._stop.is_set():
                    return

    def _step(self) -> bool:
        """Store the next range; False when there is nothing more to do."""
        start, end = self._checkpoint.in_flight or (self._checkpoint.stored, 0)
        if not end:
            if self._stop.is_set() and self._finish_by is not None and time.monotonic() > self._finish_by:
                return False
            if not self._journal.wait_beyond(start, 0 if self._stop.is_set() else _IDLE_S):
                return not self._stop.is_set()
        start, lines = self._journal.read(start, end - start if end else self._block_bytes)
        if not lines:
            # Only a lost segment leaves bytes promised but not there; it has been logged.
            self._checkpoint.done(max(start, end))
            return True
        end = start + len(lines)
        if self._checkpoint.in_flight != (start, end):
            self._checkpoint.intend(start, end)
        began = time.monotonic()
        self._insert(lines, start, end)
        self._checkpoint.done(end)
        self._trouble = None
        self._journal.release(end, lines.count(b"\n"))
        self._on_stored(end)
        self._linger(time.monotonic() - began)
        return True

    def _linger(self, insert_s: float) -> None:
        """Let lines gather to a block: as long as the table allows, by how long the last insert took.

        An insert costs much the same for one row as for a thousand, and its processor is the doors' and the engine's.
        """
        until = time.monotonic() + max(_LINGER_S - insert_s, self._sink.table.linger * insert_s)
        many = min(_WORTH_BYTES, self._block_bytes)
        while (left := until - time.monotonic()) > 0 and self._journal.backlog_bytes < many:
            if self._stop.wait(min(left, _LINGER_S)):
                return

    def _insert(self, lines: bytes, start: int, end: int) -> None:
        """Insert a range; one that is refused is halved until the line at fault stands alone."""
        token = f"{self._journal.id}:{self._journal.folder.name}:{start}:{end}"
        try:
            self._persist(lines, token)
        except Refused as refusal:
            cut = lines.rfind(b"\n", 0, len(lines) // 2) + 1 or lines.find(b"\n") + 1
            if cut < len(lines):
                self._insert(lines[:cut], start, start + cut)
                self._insert(lines[cut:], start + cut, end)
                return
            self.refused += 1
            _log.error("line_refused", journal=self._journal.folder.name, start=start, error=str(refusal)[:500])
            if self._sink.table.refused is not None:
                self._quarantine(self._sink.table.refused(lines, str(refusal)), token)

    def _quarantine(self, line: bytes, token: str) -> None:
        """Put the text of a refused line into the store; if even that is refused, the fault is not the line's."""
        try:
            self._persist(line, f"{token}:refused")
        except Refused as error:
            raise Unavailable(f"the store refuses even plain rows: {error}") from error

    def _persist(self, lines: bytes, token: str) -> None:
        """Insert, again and again while the store is unavailable."""
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=10, jitter=0.1),
            sleep=self._pause,
            before_sleep=lambda state: self._note(state.outcome.exception() if state.outcome else None),
        ):
            # A client of its own: an engine's long write must not hold up arrivals.
            with attempt, self._store.reader() as client:
                self._sink.insert(client, lines, token)

    def _pause(self, seconds: float) -> None:
        if self._stop.is_set():
            raise GivenUp
        self._stop.wait(seconds)

    def _note(self, error: BaseException | None) -> None:
        since = self._trouble[0] if self._trouble else time.monotonic()
        self._trouble = (since, f"the store takes no rows: {str(error)[:300]}")
        _log.warning("store_unavailable", journal=self._journal.folder.name, error=str(error)[:300])


class GivenUp(Exception):
    """The process is stopping while the store is unavailable; the range stays promised."""
