"""The collector as the composition root sees it: routes, threads and counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from collector.door import Authenticate, caller, problems
from collector.event import json_schema
from collector.events_door import EventsDoor
from collector.identity import Identities
from collector.lock import FolderLock
from collector.refused import refused_line
from collector.sink import Table
from collector.stats import CollectorStats, Totals
from collector.stream import Stream
from collector.traces_door import TracesDoor, statuses
from tower.model.connections import Connections
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.client import Store

EVENTS = Table("events", refused_line)
TRACES = Table("otel_traces")
_STOP_S = 10.0
# Threads that only wait for a tick on behalf of ?wait=stored.
_WAITERS = 64


class Collector:
    """Doors, journals and drains of one process. Raises JournalInUse when another process has the data folder."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        connections: Connections,
        authenticate: Authenticate,
        milestones: Callable[[], frozenset[str]],
        progress: Progress,
        clock: Callable[[], datetime],
    ) -> None:
        folder = settings.data_dir / "journal"
        self._lock = FolderLock(folder)
        self._authenticate = authenticate
        self._totals = Totals()
        self._events = Stream(folder / "events", store, EVENTS, settings, progress.mark_stored)
        self._traces = Stream(folder / "traces", store, TRACES, settings, lambda _position: None)
        self._decoders = ThreadPoolExecutor(1, "decode")
        self._waiters = ThreadPoolExecutor(_WAITERS, "wait")
        self._schema = msgspec.json.encode(json_schema())
        self._events_door = EventsDoor(
            settings,
            self._events,
            connections,
            authenticate,
            milestones,
            progress,
            clock,
            self._totals,
            Identities(),
            self._decoders,
            self._waiters,
        )
        self._traces_door = TracesDoor(self._traces, authenticate, self._totals, self._decoders)

    def routes(self) -> list[BaseRoute]:
        """Return the doors."""
        return [
            Route("/v1/events", problems(self._events_door.handle, self._totals), methods=["POST"]),
            Route("/v1/traces", statuses(self._traces_door.handle, self._totals), methods=["POST"]),
            Route("/v1/schemas", problems(self._schemas, self._totals), methods=["GET"]),
        ]

    async def _schemas(self, request: Request) -> Response:
        caller(request, self._authenticate)
        return Response(self._schema, media_type="application/schema+json")

    def start(self) -> None:
        """Begin to drain what the journals hold."""
        self._events.start()
        self._traces.start()

    def stop(self) -> None:
        """Sync what was taken, drain for a bounded time and let the journals go. Nothing acknowledged is lost."""
        self._decoders.shutdown(wait=True)
        self._events.stop(_STOP_S)
        self._traces.stop(_STOP_S)
        self._waiters.shutdown(wait=False, cancel_futures=True)
        self._lock.close()

    def stats(self) -> CollectorStats:
        """Return the counts of this moment."""
        streams = (self._events, self._traces)
        reason = next((s.trouble for s in streams if s.trouble), "")
        totals = self._totals
        return CollectorStats(
            backlog_bytes=sum(s.journal.backlog_bytes for s in streams),
            backlog_lines=sum(s.journal.backlog_lines for s in streams),
            oldest_unstored_s=max(s.journal.oldest_unreleased_s for s in streams),
            accepted=totals.accepted,
            duplicate=totals.duplicate,
            quarantined=totals.quarantined,
            rejected=totals.rejected,
            refused=totals.refused,
            spans=totals.spans,
            spans_rejected=totals.spans_rejected,
            store_refused=sum(s.refused for s in streams),
            ready=not reason,
            reason=reason,
        )
