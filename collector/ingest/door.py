"""The native door. In this order: known connection, handshake, size, proof, share, room; then kept, then answered.

A message that is authentic is answered with 2xx whatever it says: what cannot be read goes to quarantine afterwards,
so that it never blocks the sender's queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collector.body import read_body
from collector.door import Authenticate
from collector.events_door import WAIT_S
from collector.ingest import handshake
from collector.ingest.proof import prove, prove_key
from collector.ingest.throttle import Throttle
from collector.instant import instant
from collector.raw.keep import kept_headers, kept_query
from collector.raw.message import RawMessage, digest_of, raw_id_of
from collector.raw.names import Named, names_of
from collector.raw.seen import Seen
from collector.stats import ConnectionTotals, Totals
from collector.stream import Stream
from collector.verify.message import Message, headers_of
from tower.model.connection import Connection
from tower.model.connections import Connections
from tower.model.problem import Problem
from tower.model.progress import Progress
from tower.settings import Settings
from tower.store.client import Store
from tower.store.fetches import ask_fetch
from tower.store.seal import Seal

# Bodies above this are proved and sealed on a thread, so that other requests are answered meanwhile.
_INLINE_BYTES = 128 << 10


@dataclass(slots=True)
class IngestDoor:
    """Takes native messages for all connections. raw_progress and raw are of the journal of native messages."""

    settings: Settings
    store: Store
    raw: Stream
    events: Stream
    connections: Connections
    secrets: Mapping[str, Sequence[str]]
    authenticate: Authenticate
    seal: Seal
    seen: Seen
    throttle: Throttle
    raw_progress: Progress
    progress: Progress
    clock: Callable[[], datetime]
    totals: Totals
    decoders: ThreadPoolExecutor
    waiters: ThreadPoolExecutor
    _under_way: dict[tuple[str, str], asyncio.Future[None]] = field(default_factory=dict)

    async def handle(self, request: Request) -> Response:
        """Answer one request. Raises Problem."""
        name = request.path_params["connection"]
        connection = self.connections.named(name)
        if connection is None:
            raise Problem(404, "unknown_connection", f"no connection is named {name!r}; add it to TOWER_CONNECTIONS")
        headers = headers_of(request.scope["headers"])
        if request.method == "OPTIONS":
            return handshake.permission(connection, headers)
        if request.method == "GET":
            return handshake.challenge(request.query_params)
        counts = self.totals.of(name)
        try:
            return await self._take(request, connection, headers, counts)
        except Problem as problem:
            counts.refuse(problem.code)
            raise

    async def _take(
        self, request: Request, connection: Connection, headers: Mapping[str, str], counts: ConnectionTotals
    ) -> Response:
        arrived = time.monotonic()
        prove_key(connection, headers.get("authorization"), self.authenticate)
        wire, body = await self._bodies(request, headers)
        query = dict(request.query_params)
        message = Message(headers, query, body, request.client.host if request.client else "")
        now = instant(self.clock(), "received_at")
        await self._run(body, partial(prove, connection, self.secrets[connection.name], message, wire, now))
        if answer := handshake.validation(headers, body):
            return answer
        if url := handshake.confirmation(headers, body):
            return await self._ask(connection, url, now)
        self.throttle.take(connection.name, connection.limits, now)
        self.raw.admit()
        digest, named = await self._run(body, partial(_looked_at, connection, message))
        raw_id, position = await self._keep(request.method, connection, message, digest, named, now)
        if position is None:
            counts.duplicate += 1
        else:
            counts.received += 1
        if request.query_params.get("wait") == "stored":
            await self._wait(self.raw.journal.end if position is None else position, arrived)
        if answer := handshake.acknowledgement(body):
            return answer
        reply: dict[str, Any] = {"raw_id": raw_id}
        if position is None:
            reply["duplicate"] = True
        return Response(msgspec.json.encode(reply), 200 if position is None else 202, media_type="application/json")

    async def _bodies(self, request: Request, headers: Mapping[str, str]) -> tuple[bytes, bytes]:
        """Return the body as it was sent and as it reads; one object where it was not compressed. Raises Problem."""
        sent: list[bytes] = []

        async def tee() -> AsyncIterator[bytes]:
            async for chunk in request.stream():
                sent.append(chunk)
                yield chunk

        encoding = headers.get("content-encoding", "")
        limit = self.settings.max_body_mb << 20
        try:
            body = await read_body(tee(), encoding, headers.get("content-length", ""), limit)
        except ClientDisconnect:
            raise Problem(400, "disconnected", "the body did not arrive in full") from None
        wire = b"".join(sent)
        return (body, body) if wire == body else (wire, body)

    async def _run(self, body: bytes, work: Callable[[], Any]) -> Any:
        if len(body) > _INLINE_BYTES:
            return await asyncio.get_running_loop().run_in_executor(self.decoders, work)
        return work()

    async def _keep(
        self, method: str, connection: Connection, message: Message, digest: str, named: Named, now: datetime
    ) -> tuple[str, int | None]:
        """Return the raw id and the journal position after the message; no position for one that was kept before.

        Of two that arrive at once the second waits until the first is durable, or was not kept after all.
        """
        key = (connection.name, digest)
        while (other := self._under_way.get(key)) is not None:
            await asyncio.wait([other])
        if known := self.seen.look(connection.name, named.event_id, named.signed, digest, now):
            return known, None
        self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            raw_id = raw_id_of(connection.name, digest, now)
            sealed = await self._run(message.body, partial(self.seal.seal, raw_id, message.body))
            kept = RawMessage(
                raw_id=raw_id,
                connection=connection.name,
                received_at=now,
                method=method,
                headers=kept_headers(message.headers, connection.verify, connection.headers),
                query=kept_query(message.query, connection.verify),
                size=len(message.body),
                sha256=digest,
                event_id=named.event_id,
                topic=named.topic,
                scheme=connection.verify.scheme,
                body=sealed,
            )
            position = await self.raw.commit(kept.line())
            self.seen.remember(connection.name, named.event_id, digest, now)
        finally:
            self._under_way.pop(key).set_result(None)
        return raw_id, position

    async def _ask(self, connection: Connection, url: str, now: datetime) -> Response:
        """Write down durably that an address is to be called; the engine calls it."""
        ask = partial(ask_fetch, self.store, "sns_confirmation", connection.name, url, now)
        try:
            fetch_id = await asyncio.get_running_loop().run_in_executor(self.waiters, ask)
        except (ClickHouseError, OSError) as error:
            raise Problem(
                503, "store_unavailable", f"the intent could not be written: {str(error)[:200]}", retry_after_s=5
            ) from None
        return Response(msgspec.json.encode({"fetch_id": fetch_id}), 202, media_type="application/json")

    async def _wait(self, position: int, arrived: float) -> None:
        """Wait until the message is mapped and stored, then until its events are judged. Raises Problem 503."""
        loop = asyncio.get_running_loop()

        def left() -> float:
            return max(WAIT_S - (time.monotonic() - arrived), 0.0)

        stored = await loop.run_in_executor(self.waiters, self.raw_progress.wait_stored, position, left())
        if stored:
            end = self.events.journal.end
            if await loop.run_in_executor(self.waiters, self.progress.wait_judged, end, left()):
                return
        raise Problem(
            503,
            "not_judged_yet",
            "the message is safe in the journal, but not judged yet; send it again, or ask later",
            retry_after_s=2,
        )


def _looked_at(connection: Connection, message: Message) -> tuple[str, Named]:
    return digest_of(message.body), names_of(connection, message.headers, message.query, message.body)
