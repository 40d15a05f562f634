"""POST /v1/files/{connection}?name=: a batch file by hand, the way a watched folder would take it.

Whoever may send for the connection may send its files; the signatures of a vendor's webhooks do not apply here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import Request
from starlette.responses import Response

from collector.door import Authenticate, body_of, caller
from collector.events_door import WAIT_S
from collector.files.desk import FileDesk
from collector.files.journals import Journals
from collector.instant import instant
from collector.stats import Totals
from tower.model.connection import Connection
from tower.model.connections import Connections
from tower.model.problem import Problem
from tower.settings import Settings
from tower.store.client import Store
from tower.store.sql import load


@dataclass(slots=True)
class FilesDoor:
    """Takes files for all connections."""

    settings: Settings
    store: Store
    connections: Connections
    authenticate: Authenticate
    desk: FileDesk
    journals: Journals
    clock: Callable[[], datetime]
    totals: Totals
    decoders: ThreadPoolExecutor
    waiters: ThreadPoolExecutor
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, request: Request) -> Response:
        """Answer POST: 202 once the file is durable, 200 for one whose content was taken before. Raises Problem."""
        connection = self._connection(request)
        name = request.query_params.get("name", "").rpartition("/")[2]
        if not name:
            raise Problem(400, "name_missing", "say what the file is called: ?name=orders.csv")
        self.journals.files.admit()
        body = await body_of(request, self.settings.max_file_mb << 20)
        async with self._one_at_a_time:  # of two with one content, the second is a repeat
            raw_id, repeated = await self._keep(connection, name, body)
        reply = {"raw_id": raw_id, **({"duplicate": True} if repeated else {})}
        return Response(msgspec.json.encode(reply), 200 if repeated else 202, media_type="application/json")

    async def tell(self, request: Request) -> Response:
        """Answer GET: what became of a file; outcome is `pending` while it is still read or judged. Raises Problem."""
        connection = self._connection(request)
        ask = partial(self._outcome, connection.name, request.path_params["raw_id"], time.monotonic())
        found = await asyncio.get_running_loop().run_in_executor(self.waiters, ask)
        return Response(msgspec.json.encode(found), media_type="application/json")

    def _connection(self, request: Request) -> Connection:
        """Return the connection of the address, if the caller may send for it. Raises Problem."""
        principal = caller(request, self.authenticate)
        name = request.path_params["connection"]
        connection = self.connections.named(name)
        if connection is None:
            raise Problem(404, "unknown_connection", f"no connection is named {name!r}; add it to TOWER_CONNECTIONS")
        if not principal.may_send_for(name):
            raise Problem(403, "forbidden_connection", f"this token may not send for connection {name!r}")
        return connection

    async def _keep(self, connection: Connection, name: str, body: bytes) -> tuple[str, bool]:
        """Return the raw id, and whether the content was taken before."""
        loop = asyncio.get_running_loop()
        at = instant(self.clock(), "received_at")
        make = partial(self.desk.message, connection.name, "key", name, body, at, None)
        message = await loop.run_in_executor(self.decoders, make)
        try:
            look = partial(self.desk.firsts, connection.name, [message.sha256])
            first = (await loop.run_in_executor(self.waiters, look)).get(message.sha256)
        except (ClickHouseError, OSError) as error:
            detail = f"whether the file is new cannot be told: {str(error)[:200]}"
            raise Problem(503, "store_unavailable", detail, retry_after_s=5) from None
        counts = self.totals.of(connection.name)
        if first:
            counts.duplicate += 1
            return first, True
        self.desk.remember(message, await self.journals.files.commit(message.line()))
        counts.received += 1
        return message.raw_id, False

    def _outcome(self, connection: str, raw_id: str, arrived: float) -> dict[str, Any]:
        journals = self.journals
        settled = journals.files_progress.wait_stored(
            journals.files.journal.end, _left(arrived)
        ) and journals.events_progress.wait_judged(journals.events.journal.end, _left(arrived))
        parameters = {"connection": connection, "raw_ids": [raw_id]}
        with self.store.reader() as client:
            rows = client.query(load("files_outcomes"), parameters=parameters).result_rows
            reasons = client.query(load("files_reasons"), parameters={"raw_ids": [raw_id]}).result_rows
        if not rows and settled:
            raise Problem(404, "unknown_file", f"connection {connection} has no file {raw_id!r}")
        if not rows or not settled:
            return {"raw_id": raw_id, "outcome": "pending"}
        found = dict(zip(("raw_id", "outcome", "events", "quarantined", "unchanged"), rows[0], strict=True))
        return {**found, "reasons": [{"reason": reason, "detail": detail} for _, reason, detail in reasons]}


def _left(arrived: float) -> float:
    return max(WAIT_S - (time.monotonic() - arrived), 0.0)
