"""The journal: what is acknowledged is here, synced, until its rows are synced in the store.

One thread writes. Requests that arrive while a sync runs share the next one (group commit).
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import structlog

from collector.segments import create_segment, journal_id, recover_tail, segment_path, starts, sync_folder

_log = structlog.get_logger(__name__)
_GROUP_BYTES = 32 << 20
_AGE_STEP_S = 0.1


class JournalError(Exception):
    """Bytes could not be made durable; nothing of them is acknowledged. Retryable once the disk is well again."""


Done = Callable[[int | JournalError], None]


class Journal:
    """Segments of whole lines. Positions are bytes since the journal began."""

    def __init__(self, folder: Path, segment_bytes: int = 64 << 20) -> None:
        """Open the folder, cut a torn tail and take up where it ended. The caller holds the folder's lock."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.id = journal_id(folder)
        self._segment_bytes = segment_bytes
        self._changed = threading.Condition()
        self._waiting: deque[tuple[bytes | bytearray, Done]] = deque()
        self._ages: deque[tuple[int, float]] = deque()
        self._stopping = False
        self._failure: str | None = None
        self._lines = 0
        self._starts = starts(folder)
        if self._starts:
            self._start = self._starts[-1]
            path = segment_path(folder, self._start)
            self._end = self._start + recover_tail(path)
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            sync_folder(folder)
        else:
            self._start = self._end = 0
            self._handle = create_segment(folder, 0)
            self._starts = [0]
        self._released = self._starts[0]
        self._thread = threading.Thread(target=self._run, name=f"journal-{folder.name}", daemon=True)
        self._thread.start()

    @property
    def begin(self) -> int:
        """Position of the first byte still kept."""
        with self._changed:
            return self._starts[0]

    @property
    def end(self) -> int:
        """Position after the last synced byte."""
        with self._changed:
            return self._end

    @property
    def failure(self) -> str | None:
        """Why the last write failed, None after a write that went well."""
        with self._changed:
            return self._failure

    def submit(self, data: bytes | bytearray, done: Done) -> None:
        """Append whole lines; done is called on the journal's thread with the position after them, or the error."""
        with self._changed:
            if not self._stopping:
                self._waiting.append((data, done))
                self._changed.notify_all()
                return
        done(JournalError("the collector is stopping"))

    def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """Block until bytes after position are synced; False when the time runs out first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._end > position or self._stopping, timeout_s) and (
                self._end > position
            )

    def read(self, position: int, limit: int) -> tuple[int, bytes]:
        """Return (first position, whole lines) of the next synced bytes of one segment, at least one line.

        The first position is beyond the one asked for only where a segment has been lost.
        """
        with self._changed:
            end = self._end
            known = list(self._starts)
        following = next((i for i, start in enumerate(known) if start > position), len(known))
        index = max(following - 1, 0)
        position = max(position, known[index])
        while index < len(known):
            segment_end = known[index + 1] if index + 1 < len(known) else end
            lines = _read_lines(
                segment_path(self.folder, known[index]), position - known[index], segment_end - position, limit
            )
            if lines:
                return position, lines
            if segment_end > position:
                _log.error("journal_bytes_lost", folder=str(self.folder), start=position, end=segment_end)
            index += 1
            position = known[index] if index < len(known) else end
        return position, b""

    def resume(self, position: int) -> None:
        """Say at start how far the store has come; what lies beyond is counted as backlog."""
        lines = 0
        at, found = self.read(position, _GROUP_BYTES)
        while found:
            lines += found.count(b"\n")
            at, found = self.read(at + len(found), _GROUP_BYTES)
        with self._changed:
            self._lines += lines
            if lines:
                self._ages.append((self._end, time.monotonic()))
        self.release(position, 0)

    def release(self, position: int, lines: int) -> None:
        """Note that these further lines, up to position, are synced in the store; remove segments wholly before it."""
        with self._changed:
            self._released = max(self._released, position)
            self._lines -= lines
            while self._ages and self._ages[0][0] <= position:
                self._ages.popleft()
            gone = []
            while len(self._starts) > 1 and self._starts[1] <= position:
                gone.append(self._starts.pop(0))
        for start in gone:
            segment_path(self.folder, start).unlink(missing_ok=True)
        if gone:
            sync_folder(self.folder)

    @property
    def backlog_bytes(self) -> int:
        """Synced bytes whose rows are not yet in the store."""
        with self._changed:
            return self._end - min(self._released, self._end)

    @property
    def backlog_lines(self) -> int:
        """Synced lines whose rows are not yet in the store."""
        with self._changed:
            return max(self._lines, 0)

    @property
    def oldest_unreleased_s(self) -> float:
        """Age of the oldest line that is not yet in the store, 0 when there is none."""
        with self._changed:
            return time.monotonic() - self._ages[0][1] if self._ages else 0.0

    def close(self) -> None:
        """Write what was submitted, then stop the thread. Harmless when called twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                group, size = [], 0
                while self._waiting and size < _GROUP_BYTES:
                    group.append(self._waiting.popleft())
                    size += len(group[-1][0])
            self._commit(group)

    def _commit(self, group: list[tuple[bytes | bytearray, Done]]) -> None:
        joined = b"".join(data for data, _ in group)
        try:
            end = self._append(joined)
        except OSError as error:
            reason = f"the journal cannot be written: {error.strerror or error}"
            _log.error("journal_write_failed", folder=str(self.folder), error=str(error))
            with self._changed:
                self._failure = reason
            for _, done in group:
                done(JournalError(reason))
            return
        with self._changed:
            position = self._end
            self._end = end
            self._failure = None
            self._lines += joined.count(b"\n")
            now = time.monotonic()
            if not self._ages or now - self._ages[-1][1] > _AGE_STEP_S:
                self._ages.append((end, now))
            else:
                self._ages[-1] = (end, self._ages[-1][1])
            self._changed.notify_all()
        for data, done in group:
            position += len(data)
            done(position)

    def _append(self, data: bytes | bytearray) -> int:
        """Write and sync; returns the new end. After an error the file is as it was and a new segment follows."""
        if self._handle is None or self._end - self._start + len(data) > self._segment_bytes:
            self._roll()
        handle = self._handle
        assert handle is not None
        offset = self._end - self._start
        try:
            view = memoryview(data)
            at = offset
            while view:
                written = os.pwrite(handle, view, at)
                view = view[written:]
                at += written
            os.fdatasync(handle)
        except OSError:
            # After a failed sync the kernel may call the pages clean: this file is not written to again.
            self._handle = None
            try:
                os.ftruncate(handle, offset)
            finally:
                os.close(handle)
            raise
        return self._end + len(data)

    def _roll(self) -> None:
        """Begin a new segment at the end; an empty one is begun anew."""
        handle = create_segment(self.folder, self._end)
        if self._handle is not None:
            os.close(self._handle)
        self._handle = handle
        with self._changed:
            self._start = self._end
            if self._starts[-1] != self._end:
                self._starts.append(self._end)


def _read_lines(path: Path, offset: int, available: int, limit: int) -> bytes:
    """Return whole lines of a file from offset, about limit bytes of them and never beyond available."""
    size = min(limit, available)
    try:
        with path.open("rb") as file:
            while size > 0:
                file.seek(offset)
                data = file.read(size)
                cut = data.rfind(b"\n") + 1
                if cut:
                    return data[:cut]
                if size >= available or len(data) < size:
                    return b""
                size = min(size * 2, available)
    except FileNotFoundError:
        return b""
    return b""
