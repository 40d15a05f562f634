"""The watched folders of all connections, looked after one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from collector.files.desk import FileDesk
from collector.files.folder import Folder
from collector.files.journals import Journals
from collector.stats import Totals
from tower.model.connections import Connections
from tower.settings import Settings
from tower.store.client import Store

_POLL_S = 1.0


class Watcher:
    """One thread that looks after the folders of all connections."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        connections: Connections,
        desk: FileDesk,
        journals: Journals,
        totals: Totals,
        clock: Callable[[], datetime],
        poll_s: float = _POLL_S,
    ) -> None:
        self._stop = threading.Event()
        self._poll_s = poll_s
        self._folders = [
            Folder(c, c.files, settings, store, desk, journals, totals, clock, self._stop)
            for c in connections.entries
            if c.files is not None
        ]
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why a connection's folder cannot be looked after, by connection; empty while all is well."""
        return {folder.name: folder.trouble for folder in self._folders if folder.trouble}

    def start(self) -> None:
        """Begin, with what the last process left."""
        if self._folders:
            self._thread.start()

    def stop(self) -> None:
        """End; a file that is being taken is taken up again at the next start."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            busy = False
            for folder in self._folders:
                busy = folder.look() or busy
            if not busy:
                self._stop.wait(self._poll_s)
