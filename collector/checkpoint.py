"""How far the drain has come, and the range it was about to insert: what makes an insert repeatable after a crash.

A text file of lines `insert START END` (synced before the insert) and `done END` (not synced: losing it repeats an
insert under the same token, which changes nothing).
"""

from __future__ import annotations

import os
from pathlib import Path

from collector.segments import sync_folder

_COMPACT_BYTES = 1 << 20


class Checkpoint:
    """The stored position and the range in flight, durable."""

    def __init__(self, path: Path, begin: int) -> None:
        """Read the file; without one, everything from begin is still to be stored."""
        self._path = path
        self.stored = begin
        self.in_flight: tuple[int, int] | None = None
        if path.exists():
            self._replay(path.read_bytes())
        self._handle = -1
        self._rewrite()

    def _replay(self, text: bytes) -> None:
        for line in text[: text.rfind(b"\n") + 1].split(b"\n"):
            match line.split():
                case [b"insert", start, end] if start.isdigit() and end.isdigit():
                    self.stored = int(start)
                    self.in_flight = (int(start), int(end))
                case [b"done", end] if end.isdigit():
                    self.stored = int(end)
                    self.in_flight = None

    def intend(self, start: int, end: int) -> None:
        """Promise to insert exactly this range next; everything before it is stored."""
        self.in_flight = (start, end)
        if self._size > _COMPACT_BYTES:
            self._rewrite()
        else:
            self._append(f"insert {start} {end}\n".encode())
            os.fdatasync(self._handle)

    def done(self, end: int) -> None:
        """The range in flight is stored."""
        self.stored = end
        self.in_flight = None
        self._append(f"done {end}\n".encode())

    def close(self) -> None:
        """Close the file. Harmless when called twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _append(self, line: bytes) -> None:
        written = os.pwrite(self._handle, line, self._size)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes of the checkpoint were written")
        self._size += written

    def _rewrite(self) -> None:
        """Put the present state alone into a fresh file that takes the old one's place."""
        lines = f"done {self.stored}\n"
        if self.in_flight:
            lines += f"insert {self.in_flight[0]} {self.in_flight[1]}\n"
        fresh = self._path.with_suffix(".new")
        handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._size = os.write(handle, lines.encode())
            os.fsync(handle)
            fresh.replace(self._path)
            sync_folder(self._path.parent)
        except OSError:
            os.close(handle)
            raise
        self.close()
        self._handle = handle
