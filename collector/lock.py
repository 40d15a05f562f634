"""One process per journal folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class JournalInUse(RuntimeError):
    """Another process holds this journal; stop it, or choose another TOWER_DATA_DIR."""


class FolderLock:
    """An exclusive lock on a folder, held until closed or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "lock"
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._handle, 64).decode(errors="replace").strip() or "unknown"
            os.close(self._handle)
            raise JournalInUse(
                f"the journal in {folder} is in use by process {holder}; stop that one or choose another TOWER_DATA_DIR"
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let go. Harmless when called twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
