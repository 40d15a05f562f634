"""Carries the world's messages to the tower over HTTP and keeps them until they are acknowledged."""

from __future__ import annotations

import asyncio
import gzip
from collections import deque
from collections.abc import Iterable, Sequence

import httpx
import msgspec
import structlog

from tower.demo.scenario import Message

BATCH = 400
PATIENCE_S = 5.0
log = structlog.get_logger("tower.demo")


class Sender:
    """A queue towards one tower. At least once: a batch without an answer is sent again under the same ids."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._queue: deque[Message] = deque()
        self.sent = 0
        self.refused = 0

    def put(self, messages: Iterable[Message]) -> None:
        """Add messages behind those that wait."""
        self._queue.extend(messages)

    @property
    def waiting(self) -> int:
        """How many messages have no acknowledgement yet."""
        return len(self._queue)

    async def drain(self) -> None:
        """Send everything that waits; returns when it is acknowledged, waits as long as the tower asks to."""
        while self._queue:
            batch = [self._queue[i] for i in range(min(BATCH, len(self._queue)))]
            if not await self._post(batch):
                return
            for _ in batch:
                self._queue.popleft()

    async def _post(self, batch: Sequence[Message]) -> bool:
        filed = [m.event for m in batch if m.connection == "bank"]
        spoken = [m.event for m in batch if m.connection != "bank"]
        if filed and not await self._send(
            b"\n".join(map(msgspec.json.encode, filed)), "application/x-ndjson", packed=True
        ):
            return False
        if not spoken:
            return True
        if len(spoken) == 1:
            return await self._send(msgspec.json.encode(spoken[0]), "application/cloudevents+json")
        return await self._send(msgspec.json.encode(spoken), "application/cloudevents-batch+json")

    async def _send(self, body: bytes, media_type: str, *, packed: bool = False) -> bool:
        headers = {"Content-Type": media_type}
        if packed:
            body, headers["Content-Encoding"] = gzip.compress(body, 6), "gzip"
        try:
            reply = await self._client.post("/v1/events", content=body, headers=headers)
        except httpx.TransportError as error:
            log.warning("tower_unreachable", error=str(error) or type(error).__name__)
            await asyncio.sleep(1)
            return False
        if reply.status_code in (429, 503):
            await asyncio.sleep(min(float(reply.headers.get("Retry-After", "1")), PATIENCE_S))
            return False
        if reply.status_code in (401, 403):  # a new key may take some seconds to be known everywhere
            log.warning("key_refused", status=reply.status_code)
            await asyncio.sleep(1)
            return False
        if reply.is_error:
            self.refused += 1
            log.error("tower_refused", status=reply.status_code, answer=reply.text[:300])
        else:
            self.sent += 1
        return True
