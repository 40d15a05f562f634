"""The watched folders: complete files are claimed, become durable, are stored, and are put away, in this order.

Each step can be repeated after a crash at any point, and a file that is claimed is the same message whenever it is
taken up again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from collector.files.arrivals import Arrivals, companions
from collector.files.content import TooLarge, Unreadable, read_content
from collector.files.desk import FileDesk, plain
from collector.files.journals import Journals
from collector.files.places import Claimed, Places
from collector.instant import instant
from collector.raw.message import RawMessage
from collector.raw.unusable import unusable_line
from collector.sink import Unavailable
from collector.stats import Totals
from collector.stream import Stream
from tower.model.connection import Connection, Files
from tower.model.connections import Connections
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.client import Store
from tower.store.sql import load

_log = structlog.get_logger(__name__)
_POLL_S = 1.0
_PURGE_S = 3600.0
_BATCH_FILES, _BATCH_BYTES = 200, 64 << 20
_SCHEME = "folder"


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
            _Folder(c, c.files, settings, store, desk, journals, totals, clock, self._stop)
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


class _Folder:
    """The folder of one connection."""

    def __init__(
        self,
        connection: Connection,
        rule: Files,
        settings: Settings,
        store: Store,
        desk: FileDesk,
        journals: Journals,
        totals: Totals,
        clock: Callable[[], datetime],
        stop: threading.Event,
    ) -> None:
        self.name = connection.name
        self.trouble = ""
        self._connection = connection
        self._rule = rule
        self._limit = settings.max_file_mb << 20
        self._keep = timedelta(days=settings.raw_days)
        self._store = store
        self._desk = desk
        self._journals = journals
        self._counts = totals.of(connection.name)
        self._clock = clock
        self._stop = stop
        self._places = Places(Path(rule.folder).expanduser(), archive=rule.archive)
        self._arrivals = Arrivals(self._places.folder, rule)
        self._purged_at = float("-inf")

    def look(self) -> bool:
        """Take what is complete, and return whether there was anything. Raises nothing: what cannot be done is told
        and tried again.
        """
        try:
            self._places.prepare()
            found = self._places.claimed() or self._claim()
            if found:
                self._take(found)
            self._purge()
        except (OSError, Unavailable, ClickHouseError) as error:
            self._tell(f"{self._places.folder}: {error}"[:500])
            return False
        except Exception as error:  # noqa: BLE001  # the edge of one round: the folder is looked at again
            _log.exception("folder_failed", connection=self.name)
            self._tell(f"{type(error).__name__}: {error}"[:500])
            return False
        self._tell("")
        return bool(found)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            _log.warning("folder_in_trouble", connection=self.name, error=trouble)
        self.trouble = trouble

    def _claim(self) -> list[Claimed]:
        """Claim complete files, as many as are taken in one go."""
        claimed: list[Claimed] = []
        size = 0
        at = instant(self._clock(), "received_at")
        for path in self._arrivals.complete(time.monotonic()):
            with suppress(FileNotFoundError):  # its sender took it back
                size += path.stat().st_size
                if claimed and (len(claimed) >= _BATCH_FILES or size > _BATCH_BYTES):
                    break
                claimed.append(self._places.claim(path, at))
        return claimed

    def _take(self, found: Sequence[Claimed]) -> None:
        """See claimed files through to where they are put away."""
        waiting: dict[str, Claimed] = {}
        for claimed in found[:_BATCH_FILES]:
            self._drop_companions(claimed)
            if raw_id := self._keep_file(claimed):
                waiting[raw_id] = claimed
        if not waiting or not self._stored(self._journals.files, self._journals.files_progress):
            return
        with self._store.reader() as client:
            rows = client.query(load("files_outcomes"), parameters=self._named(list(waiting))).result_rows
        refused = [raw_id for raw_id, outcome, *_ in rows if outcome == "quarantined"]
        if refused:
            self._stored(self._journals.events, self._journals.events_progress)
        for raw_id, outcome, events, quarantined, unchanged in rows:
            claimed = waiting[raw_id]
            if raw_id in refused:
                self._places.fail(claimed, self._why(raw_id))
            else:
                self._places.archive(claimed)
            _log.info(
                "file_taken", connection=self.name, file=plain(claimed.name), raw_id=raw_id, outcome=outcome,
                events=events, quarantined=quarantined, unchanged=unchanged,
            )  # fmt: skip

    def _drop_companions(self, claimed: Claimed) -> None:
        """Remove what said that the file is complete, so that it does not speak for the next file of that name."""
        for name in companions(self._rule, claimed.name):
            path = self._places.folder / name
            with suppress(FileNotFoundError):
                if datetime.fromtimestamp(path.lstat().st_mtime, UTC) <= claimed.at:
                    path.unlink()

    def _keep_file(self, claimed: Claimed) -> str:
        """Return the raw id of a file that is durable now, '' for one that is put away at once."""
        try:
            changed_at = datetime.fromtimestamp(claimed.path.stat().st_mtime, UTC)
            body = read_content(claimed.path, self._limit)
        except FileNotFoundError:
            return ""
        except (OSError, TooLarge, Unreadable) as error:
            self._refuse(claimed, self._fault(error))
            return ""
        message = self._desk.message(self.name, _SCHEME, claimed.name, body, claimed.at, changed_at)
        first = self._desk.first(self.name, message.sha256)
        if first and first != message.raw_id:
            self._repeat(claimed, message, first)
            return ""
        if not first and not self._is_stored(message.raw_id):
            self._desk.remember(message, self._journals.files.commit_here(message.line()))
            self._counts.received += 1
        return message.raw_id

    def _is_stored(self, raw_id: str) -> bool:
        with self._store.reader() as client:
            return bool(client.query(load("files_outcomes"), parameters=self._named([raw_id])).result_rows)

    def _named(self, raw_ids: list[str]) -> dict[str, Any]:
        return {"connection": self.name, "raw_ids": raw_ids}

    def _repeat(self, claimed: Claimed, message: RawMessage, first: str) -> None:
        """Put a file away whose content was taken before, and say so."""
        self._counts.duplicate += 1
        self._quarantine(claimed, message, first, "duplicate_file", f"its content was taken before as message {first}")
        self._places.archive(claimed)
        _log.info("file_repeated", connection=self.name, file=plain(claimed.name), first=first)

    def _refuse(self, claimed: Claimed, why: str) -> None:
        """Put a file away that cannot even be kept, and say so."""
        self._counts.refused += 1
        message = self._desk.message(self.name, _SCHEME, claimed.name, b"", claimed.at, None)
        self._quarantine(claimed, message, "", "undecodable", why)
        self._places.fail(claimed, f"undecodable: {why}")
        _log.warning("file_refused", connection=self.name, file=plain(claimed.name), error=why)

    def _quarantine(self, claimed: Claimed, message: RawMessage, raw_id: str, reason: str, detail: str) -> None:
        """Say what became of a file that makes no message; its claim makes it one row, however often it is said."""
        about = msgspec.structs.replace(message, raw_id=raw_id)
        where = plain(claimed.path.name)
        kind, source = self._connection.kind, self._connection.source
        self._journals.events.commit_here(unusable_line(about, kind, source, reason, detail, position=where))

    def _fault(self, error: Exception) -> str:
        if isinstance(error, TooLarge):
            return f"the file is larger than {self._limit >> 20} MiB (TOWER_MAX_FILE_MB)"
        if isinstance(error, OSError):
            return f"the file cannot be read ({error.strerror})"
        return str(error)

    def _stored(self, stream: Stream, progress: Progress) -> bool:
        """Wait until what is in a journal is in the store; False when the process stops first."""
        end = stream.journal.end
        while not progress.wait_stored(end, 0.2):
            if self._stop.is_set():
                return False
        return True

    def _why(self, raw_id: str) -> str:
        with self._store.reader() as client:
            rows = client.query(load("files_reasons"), parameters={"raw_id": raw_id}).result_rows
        return "\n".join(f"{reason}: {detail}" for reason, detail in rows) or f"see the quarantine of {raw_id}"

    def _purge(self) -> None:
        """Remove, once an hour, what was put away longer ago than raw bodies are kept."""
        if time.monotonic() - self._purged_at < _PURGE_S:
            return
        self._purged_at = time.monotonic()
        if removed := self._places.purge(self._clock() - self._keep):
            _log.info("files_purged", connection=self.name, count=removed)
