"""The collector as the composition root sees it: routes, threads and counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from collector.contracts.drift import Drift
from collector.door import Authenticate, caller, problems
from collector.event import json_schema
from collector.events_door import EventsDoor
from collector.files.desk import FileDesk
from collector.files.door import FilesDoor
from collector.files.journals import Journals
from collector.files.sink import FileSink
from collector.files.watch import Watcher
from collector.identity import Identities
from collector.ingest.door import IngestDoor
from collector.ingest.proof import resolved_secrets
from collector.ingest.throttle import Throttle
from collector.link_statement import LinkSaid, say_link
from collector.lock import FolderLock
from collector.otlp.door import METHODS, MetricsDoor, OtlpDoor, statuses
from collector.otlp.enrich import Enricher
from collector.otlp.keeper import Keeper
from collector.otlp.reader import SpanReader
from collector.otlp.signal import LOGS, TRACES
from collector.otlp.sink import BodySink
from collector.raw.again import Again
from collector.raw.mapper import Mapper
from collector.raw.mappings import Mappings
from collector.raw.recall import recall
from collector.raw.seen import Seen
from collector.raw.sink import RawSink
from collector.refused import refused_line
from collector.sink import Sink, Table
from collector.stats import CollectorStats, ConnectionTotals, Totals
from collector.stream import Stream
from tower.model.connections import Connections
from tower.model.problem import Problem
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.client import Store
from tower.store.seal import load_seal

EVENTS = Table("arrivals", refused_line)
_NO_SECRETS = Secrets()
_SCHEMA_TYPE = "application/schema+json"
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
        secrets: Secrets = _NO_SECRETS,
    ) -> None:
        """Read secrets and mappings first. Raises SecretError, MappingsError, JournalInUse."""
        folder = settings.data_dir / "journal"
        resolved = resolved_secrets(connections, secrets)
        self._mappings = Mappings(connections, settings.mappings)
        self._lock = FolderLock(folder)
        self._store, self._connections, self._clock = store, connections, clock
        self._authenticate = authenticate
        self._totals = Totals()
        self.drift = Drift(store, self._totals)
        mapper = Mapper(connections, self._mappings, milestones, self.drift, self._totals)
        self._events = Stream(folder / "events", store, Sink(store, EVENTS), settings, progress.mark_stored)
        seal = load_seal(settings, secrets)
        raw_progress = Progress()
        raw_sink = RawSink(store, seal, mapper, self._events, self._totals)
        self._raw = Stream(folder / "raw", store, raw_sink, settings, raw_progress.mark_stored)
        files_progress = Progress()
        file_sink = FileSink(store, seal, mapper, self._events, self._totals)
        self._files = Stream(folder / "files", store, file_sink, settings, files_progress.mark_stored)
        journals = Journals(self._files, files_progress, self._events, progress)
        self._file_desk = FileDesk(store, seal, files_progress)
        self._watcher = Watcher(settings, store, connections, self._file_desk, journals, self._totals, clock)
        self._seen, self._throttle = Seen(), Throttle()
        self.again = Again(store, seal, mapper, self._events, progress)
        commit = self._events.commit_here
        spans, logs = (Keeper(connections, commit, milestones, clock) for _ in (TRACES, LOGS))
        reader = SpanReader(folder / "traces", store, spans)
        traces_sink = BodySink(TRACES, commit, reader.prepare, reader.read, embedded=store.embedded)
        logs_sink = BodySink(LOGS, commit, after=lambda _, lines: logs.keep((), lines), embedded=store.embedded)
        self._traces = Stream(folder / "traces", store, traces_sink, settings)
        self._logs = Stream(folder / "logs", store, logs_sink, settings)
        # Telemetry may come in large requests: it must not keep events waiting.
        self._decoders, self._telemetry = ThreadPoolExecutor(1, "decode"), ThreadPoolExecutor(1, "telemetry")
        self._waiters = ThreadPoolExecutor(_WAITERS, "wait")
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
            self._throttle,
            self._decoders,
            self._waiters,
        )
        self._ingest_door = IngestDoor(
            settings,
            store,
            self._raw,
            self._events,
            connections,
            resolved,
            authenticate,
            seal,
            self._seen,
            self._throttle,
            raw_progress,
            progress,
            clock,
            self._totals,
            self._decoders,
            self._waiters,
        )
        enricher = Enricher(connections)
        self._traces_door, self._logs_door = (
            OtlpDoor(signal, stream, connections, enricher, authenticate, clock, self._totals, self._telemetry)
            for signal, stream in ((TRACES, self._traces), (LOGS, self._logs))
        )
        self._metrics_door = MetricsDoor(authenticate, self._telemetry)
        self._files_door = FilesDoor(
            settings,
            store,
            connections,
            authenticate,
            self._file_desk,
            journals,
            clock,
            self._totals,
            self._decoders,
            self._waiters,
        )

    def say_link(self, said: LinkSaid) -> int:
        """Keep what an operator says about two objects; return the journal position after it. Raises Problem."""
        return say_link(said, self._events, self._clock())

    def routes(self) -> list[BaseRoute]:
        """Return the doors."""
        return [
            Route("/v1/events", problems(self._events_door.handle, self._totals), methods=["POST"]),
            Route(
                "/v1/ingest/{connection}",
                problems(self._ingest_door.handle, self._totals),
                methods=["POST", "GET", "OPTIONS"],
            ),
            Route("/v1/traces", statuses(self._traces_door.handle, self._totals), methods=METHODS),
            Route("/v1/logs", statuses(self._logs_door.handle, self._totals), methods=METHODS),
            Route("/v1/metrics", statuses(self._metrics_door.handle, self._totals), methods=METHODS),
            Route("/v1/files/{connection}", problems(self._files_door.take, self._totals), methods=["POST"]),
            Route("/v1/files/{connection}/{raw_id}", problems(self._files_door.tell, self._totals), methods=["GET"]),
            Route("/v1/schemas", problems(self._schemas, self._totals), methods=["GET"]),
            Route("/v1/schemas/{name}", problems(self._one_schema, self._totals), methods=["GET"]),
        ]

    async def _schemas(self, request: Request) -> Response:
        """Answer with the schema of an event, which names those of the contracts."""
        caller(request, self._authenticate)
        schema = {**json_schema(), "schemas": ["event", *sorted(self._mappings.schemas)]}
        return Response(msgspec.json.encode(schema), media_type=_SCHEMA_TYPE)

    async def _one_schema(self, request: Request) -> Response:
        caller(request, self._authenticate)
        name = request.path_params["name"]
        if name == "event":
            return Response(msgspec.json.encode(json_schema()), media_type=_SCHEMA_TYPE)
        schema = self._mappings.schemas.get(name)
        if schema is None:
            raise Problem(404, "not_found", f"there is no schema {name!r}; /v1/schemas names all")
        return Response(schema.text, media_type=_SCHEMA_TYPE)

    def start(self) -> None:
        """Begin to drain what the journals hold."""
        self.drift.load()
        recall(self._store, self._connections, self._raw.unstored(), self._seen, self._throttle, self._clock())
        self._file_desk.recall(self._files.unstored(), self._files.journal.end)
        self._events.start()
        self._raw.start()
        self._files.start()
        self._traces.start()
        self._logs.start()
        self._watcher.start()

    def stop(self) -> None:
        """Sync what was taken, drain for a bounded time and let the journals go. Nothing acknowledged is lost."""
        self._decoders.shutdown(wait=True)
        self._telemetry.shutdown(wait=True)
        # What others make goes to the journal of events, so that one stops last.
        self._watcher.stop()
        self._raw.stop(_STOP_S)
        self._files.stop(_STOP_S)
        self.drift.stop()
        self._traces.stop(_STOP_S)
        self._logs.stop(_STOP_S)
        self._events.stop(_STOP_S)
        self._waiters.shutdown(wait=False, cancel_futures=True)
        self._lock.close()

    def _counts(self) -> dict[str, ConnectionTotals]:
        now = self._clock()
        counts = {**{c.name: ConnectionTotals() for c in self._connections.entries}, **self._totals.connections}
        return {name: replace(c, today=self._throttle.today(name, now)) for name, c in counts.items()}

    def stats(self) -> CollectorStats:
        """Return the counts of this moment."""
        streams = (self._events, self._raw, self._files, self._traces, self._logs)
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
            logs=totals.logs,
            logs_rejected=totals.logs_rejected,
            store_refused=sum(s.refused for s in streams),
            connections=self._counts(),
            folders=self._watcher.troubles,
            ready=not reason,
            reason=reason,
        )
