"""One watched folder: complete files are claimed, become durable, are stored, and are put away, in this order.

Many small files go together, so that the store is asked and the disk is synced once for all of them. Each step can be
repeated after a crash at any point: a file that is claimed is the same message whenever it is taken up again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

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
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.client import Store
from tower.store.sql import load

_log = structlog.get_logger(__name__)
_PURGE_S = 3600.0
_BATCH_FILES, _BATCH_BYTES = 200, 64 << 20
_SCHEME = "folder"


class _Aside(NamedTuple):
    """A file that makes no message of its own, and what is to be said of it. first: the raw id of what it repeats."""

    claimed: Claimed
    message: RawMessage
    reason: str
    detail: str
    first: str = ""


class Folder:
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
        at = instant(self._clock(), "received_at")
        claimed = []
        for path in self._arrivals.complete(time.monotonic())[:_BATCH_FILES]:
            with suppress(FileNotFoundError):  # its sender took it back
                claimed.append(self._places.claim(path, at))
        self._places.settle()
        return claimed

    def _take(self, found: Sequence[Claimed]) -> None:
        """See claimed files through to where they are put away."""
        read, aside = self._read(found)
        kept, repeats = self._keep_all(read)
        aside += repeats
        if aside:
            self._journals.events.commit_here(b"".join(map(self._line, aside)))
        if not self._stored(self._journals.files, self._journals.files_progress):
            return
        for each in aside:
            self._put_aside(each)
        self._put_away(kept)
        self._places.settle()

    def _read(self, found: Sequence[Claimed]) -> tuple[list[tuple[Claimed, RawMessage]], list[_Aside]]:
        """Return the messages of files, and those that cannot even be read; as many as go together."""
        read: list[tuple[Claimed, RawMessage]] = []
        unreadable: list[_Aside] = []
        size = 0
        for claimed in found[:_BATCH_FILES]:
            self._drop_companions(claimed)
            body, changed_at, fault = b"", None, ""
            try:
                seen = claimed.path.stat()
                size += seen.st_size
                if read and size > _BATCH_BYTES:
                    break
                changed_at = datetime.fromtimestamp(seen.st_mtime, UTC)
                body = read_content(claimed.path, self._limit)
            except FileNotFoundError:
                continue
            except (OSError, TooLarge, Unreadable) as error:
                fault = self._fault(error)
            message = self._desk.message(self.name, _SCHEME, claimed.name, body, claimed.at, changed_at)
            if fault:
                unreadable.append(_Aside(claimed, message, "undecodable", fault))
            else:
                read.append((claimed, message))
        return read, unreadable

    def _keep_all(self, read: Sequence[tuple[Claimed, RawMessage]]) -> tuple[dict[str, Claimed], list[_Aside]]:
        """Make new files durable. Return the files that are, by raw id, and those that repeat another one."""
        firsts = self._desk.firsts(self.name, [message.sha256 for _, message in read])
        stored = self._outcomes([message.raw_id for _, message in read])
        kept: dict[str, Claimed] = {}
        repeats: list[_Aside] = []
        new: list[RawMessage] = []
        for claimed, message in read:
            first = firsts.get(message.sha256)
            if first and first != message.raw_id:
                detail = f"its content was taken before as message {first}"
                repeats.append(_Aside(claimed, message, "duplicate_file", detail, first))
                continue
            kept[message.raw_id] = claimed
            if first is None:
                firsts[message.sha256] = message.raw_id
                if message.raw_id not in stored:  # it can be stored and refused: then this process finishes its way
                    new.append(message)
        if new:
            position = self._journals.files.commit_here(b"".join(message.line() for message in new))
            for message in new:
                self._desk.remember(message, position)
            self._counts.received += len(new)
        return kept, repeats

    def _put_aside(self, file: _Aside) -> None:
        """Put a file away that makes no message of its own."""
        name = plain(file.claimed.name)
        if file.first:
            self._counts.duplicate += 1
            self._places.archive(file.claimed)
            _log.info("file_repeated", connection=self.name, file=name, first=file.first)
        else:
            self._counts.refused += 1
            self._places.fail(file.claimed, f"{file.reason}: {file.detail}")
            _log.warning("file_refused", connection=self.name, file=name, error=file.detail)

    def _put_away(self, kept: dict[str, Claimed]) -> None:
        """Put files away by what became of them."""
        outcomes = self._outcomes(list(kept))
        refused = [raw_id for raw_id, (outcome, *_) in outcomes.items() if outcome == "quarantined"]
        why = self._why(refused) if refused else {}
        for raw_id, (outcome, events, quarantined, unchanged) in outcomes.items():
            claimed = kept[raw_id]
            if raw_id in why:
                self._places.fail(claimed, why[raw_id])
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

    def _line(self, file: _Aside) -> bytes:
        """Return what is said of a file that makes no message; its claim makes it one row, however often it is said."""
        about = msgspec.structs.replace(file.message, raw_id=file.first)
        kind, source = self._connection.kind, self._connection.source
        return unusable_line(about, kind, source, file.reason, file.detail, position=plain(file.claimed.path.name))

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

    def _outcomes(self, raw_ids: list[str]) -> dict[str, tuple[str, int, int, int]]:
        """Return (outcome, events, quarantined, unchanged) of the files that are stored, by raw id."""
        if not raw_ids:
            return {}
        with self._store.reader() as client:
            parameters = {"connection": self.name, "raw_ids": raw_ids}
            rows = client.query(load("files_outcomes"), parameters=parameters).result_rows
        return {raw_id: (outcome, *counts) for raw_id, outcome, *counts in rows}

    def _why(self, raw_ids: list[str]) -> dict[str, str]:
        """Return why files were refused, by raw id."""
        self._stored(self._journals.events, self._journals.events_progress)
        with self._store.reader() as client:
            rows = client.query(load("files_reasons"), parameters={"raw_ids": raw_ids}).result_rows
        found: dict[str, list[str]] = {raw_id: [] for raw_id in raw_ids}
        for raw_id, reason, detail in rows:
            found[raw_id].append(f"{reason}: {detail}")
        return {raw_id: "\n".join(lines) or f"see message {raw_id} in quarantine" for raw_id, lines in found.items()}

    def _purge(self) -> None:
        """Remove, once an hour, what was put away longer ago than raw bodies are kept."""
        if time.monotonic() - self._purged_at < _PURGE_S:
            return
        self._purged_at = time.monotonic()
        if removed := self._places.purge(self._clock() - self._keep):
            _log.info("files_purged", connection=self.name, count=removed)
