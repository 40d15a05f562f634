"""A running collector with its client: what tests of the doors talk to."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette

from collector.collector import Collector
from tower.model.connections import Connection, Connections
from tower.model.principal import Principal
from tower.model.progress import Progress
from tower.model.secret import Secrets
from tower.settings import Settings
from tower.store.client import Store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MILESTONES = frozenset(
    {"order_captured", "order_accepted", "shipment_confirmed", "invoice_released", "payment_applied"}
)
CONNECTIONS = Connections(
    (
        Connection("wms-berlin", "wms", "/wms/berlin"),
        Connection("shop", "commerce", "/shop", scope="s1", attributes=frozenset({"basket", "gift"})),
    ),
    configured=True,
)
NO_SECRETS = Secrets()
PRINCIPALS = {
    "Bearer admin": Principal("admin", frozenset({"admin"})),
    "Bearer berlin": Principal("berlin", frozenset(), frozenset({"wms-berlin"})),
    "Bearer two": Principal("two", frozenset(), frozenset({"wms-berlin", "shop"})),
    "Bearer reader": Principal("reader", frozenset({"viewer"})),
}
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"


class Ticker:
    """Stands in for the engine: everything stored is judged at once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._progress.wait_bell(0.05)
            self._progress.mark_judged(self._progress.stored)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


class Client:
    """Plain calls to an application that runs on a loop of its own thread."""

    def __init__(self, app: Starlette, headers: dict[str, str]) -> None:
        self._portal_context = start_blocking_portal()
        self._portal = self._portal_context.__enter__()
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://desk", headers=headers, timeout=60)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, path, **options))

    def close(self) -> None:
        self._portal.call(self._client.aclose)
        self._portal_context.__exit__(None, None, None)


class Desk:
    """One collector, its store and a client that speaks as admin."""

    def __init__(
        self,
        store: Store,
        data_dir: Path,
        *,
        started: bool = True,
        connections: Connections = CONNECTIONS,
        secrets: Secrets = NO_SECRETS,
        milestones: frozenset[str] = MILESTONES,
        **settings: Any,
    ) -> None:
        self.store = store
        self.progress = Progress()
        self.now = NOW
        self.settings = Settings(data_dir, store.dsn, **{"disk_floor_mb": 1, **settings})
        self.collector = Collector(
            self.settings,
            store,
            connections,
            lambda header: PRINCIPALS.get(header or ""),
            lambda: milestones,
            self.progress,
            lambda: self.now,
            secrets,
        )
        for stream in (self.collector._traces, self.collector._logs):  # each block is stored by itself, at once
            stream._sink.table = replace(stream._sink.table, linger=0)
        self.client = Client(Starlette(routes=self.collector.routes()), {"Authorization": "Bearer admin"})
        self._ticker: Ticker | None = None
        self._closed = False
        if started:
            self.start()

    def start(self) -> None:
        self.collector.start()
        self._ticker = Ticker(self.progress)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.client.close()
        self.collector.stop()
        if self._ticker:
            self._ticker.stop()

    def post(
        self,
        body: bytes | str,
        content_type: str = STRUCTURED,
        *,
        wait: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Post to /v1/events."""
        params = {"wait": "stored"} if wait else {}
        return self.client.request(
            "POST", "/v1/events", content=body, headers={"Content-Type": content_type, **(headers or {})}, params=params
        )

    def ingest(
        self,
        connection: str,
        body: bytes,
        headers: Mapping[str, str | bytes] | None = None,
        *,
        wait: bool = False,
        method: str = "POST",
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a native message; the caller's own key is not shown unless headers say so."""
        params = {**(query or {}), **({"wait": "stored"} if wait else {})}
        sent = {k: v.encode() if isinstance(v, str) else v for k, v in {"Authorization": "", **(headers or {})}.items()}
        return self.client.request(method, f"/v1/ingest/{connection}", content=body, headers=sent, params=params)

    def post_lines_answer(self, events: Sequence[Any], *, wait: bool = True) -> httpx.Response:
        """Post events as NDJSON and return the answer, whatever it is."""
        return self.post(b"\n".join(msgspec.json.encode(e) for e in events), NDJSON, wait=wait)

    def post_lines(self, events: Sequence[Any], *, wait: bool = True) -> dict[str, Any]:
        """Post events as NDJSON and return the reply."""
        answer = self.post_lines_answer(events, wait=wait)
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        assert reply["accepted"] + reply["duplicate"] + reply["quarantined"] + len(reply["rejected"]) == len(events)
        return reply

    def rows(
        self, columns: str = "*", table: str = "events", where: str = "1", order: str = "1"
    ) -> list[tuple[Any, ...]]:
        """Return rows of the store."""
        with self.store.reader() as client:
            return [
                tuple(row)
                for row in client.query(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order}").result_rows
            ]


def event(number: int | str = 1, **changes: Any) -> dict[str, Any]:
    """Return a good event. A change of None takes a field away; data is merged."""
    data = {"order_id": f"SO-{number}", "shipment_id": f"SH-{number}", **changes.pop("data", {})}
    made = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/wms/berlin",
        "type": "o2c.shipment_confirmed",
        "time": "2026-03-01T10:00:00Z",
        "data": data,
        **changes,
    }
    return {k: v for k, v in made.items() if v is not None}


def as_json(number: int | str = 1, **changes: Any) -> bytes:
    """Return a good event as JSON."""
    return msgspec.json.encode(event(number, **changes))
