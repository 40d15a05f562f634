"""POST /v1/events: CloudEvents in four forms, to the journal, to an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from collector import cloudevents
from collector.door import Authenticate, body_of, caller
from collector.identity import Identities
from collector.ingest.throttle import Throttle
from collector.intake import Batch, Rejected, take
from collector.limits import MAX_REPORTED
from collector.senders import Senders
from collector.stats import Totals
from collector.stream import Stream
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.model.problem import Problem
from tower.model.progress import Progress
from tower.settings import Settings

# Bodies above this are decoded on a thread, so that other requests are answered meanwhile.
_INLINE_BYTES = 128 << 10
WAIT_S = 30.0


@dataclass(slots=True)
class EventsDoor:
    """Takes events for all connections."""

    settings: Settings
    stream: Stream
    connections: Connections
    authenticate: Authenticate
    milestones: Callable[[], frozenset[str]]
    progress: Progress
    clock: Callable[[], datetime]
    totals: Totals
    identities: Identities
    throttle: Throttle
    decoders: ThreadPoolExecutor
    waiters: ThreadPoolExecutor

    async def handle(self, request: Request) -> Response:
        """Answer one request. Raises Problem."""
        arrived = time.monotonic()
        principal = caller(request, self.authenticate)
        self.stream.admit()
        body = await body_of(request, self.settings.max_body_mb << 20)
        content_type = request.headers.get("content-type", "")
        work = partial(self._decode, content_type, request.scope["headers"], body, principal)
        if len(body) > _INLINE_BYTES:
            batch, lone = await asyncio.get_running_loop().run_in_executor(self.decoders, work)
        else:
            batch, lone = work()
        self.totals.rejected += len(batch.reply.rejected)
        if lone and batch.reply.rejected:
            raise _lone_problem(batch.reply.rejected[0])
        self._count(batch)
        if batch.lines:
            position = await self.stream.commit(batch.lines)
            self.identities.remember(batch.fresh)
        else:
            position = self.stream.journal.end
        self.totals.accepted += batch.reply.accepted
        self.totals.duplicate += batch.reply.duplicate
        self.totals.quarantined += batch.reply.quarantined
        if request.query_params.get("wait") == "stored":
            # Duplicates are in the journal before its present end, and so is everything that was sent earlier.
            await self._wait(max(position, self.stream.journal.end if batch.reply.duplicate else 0), arrived)
        return Response(msgspec.json.encode(batch.reply), media_type="application/json")

    def _count(self, batch: Batch) -> None:
        """Count events against the shares of their connections. Raises Problem 429, and then nothing is kept."""
        now = self.clock()
        for name, count in batch.sent.items():
            connection = self.connections.named(name)
            if connection is not None:
                try:
                    self.throttle.take(name, connection.limits, now, count)
                except Problem:
                    self.totals.of(name).throttled += 1
                    raise

    def _decode(
        self, content_type: str, headers: list[tuple[bytes, bytes]], body: bytes, principal: Principal
    ) -> tuple[Batch, bool]:
        now = self.clock()
        sent = cloudevents.split(content_type, headers, body)
        batch = take(
            sent.raws,
            senders=Senders(self.connections, principal, now),
            milestones=self.milestones(),
            identities=self.identities,
            now=now,
            utf8=_is_utf8(body),
        )
        rejected = batch.reply.rejected
        if sent.lines and sent.raws and len(rejected) == len(sent.raws) and all(r.code == "not_json" for r in rejected):
            errors = [msgspec.to_builtins(r) for r in rejected[:MAX_REPORTED]]
            raise Problem(400, "not_json", "no line of the body is JSON", errors=errors)
        return batch, sent.lone

    async def _wait(self, position: int, arrived: float) -> None:
        left = WAIT_S - (time.monotonic() - arrived)
        wait = partial(self.progress.wait_judged, position, max(left, 0.0))
        if not await asyncio.get_running_loop().run_in_executor(self.waiters, wait):
            raise Problem(
                503,
                "not_judged_yet",
                "the events are safe in the journal, but not judged yet; send them again, or ask later",
                retry_after_s=2,
            )


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lone_problem(refused: Rejected) -> Problem:
    status = 403 if refused.code in ("forbidden_connection", "forbidden_partner") else 400
    return Problem(status, refused.code, refused.detail, errors=[msgspec.to_builtins(refused)])
