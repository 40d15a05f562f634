"""POST /v1/traces and /v1/logs: OTLP/HTTP in protobuf and JSON; answers and errors in the request's own type."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.code_pb2 import (
    INTERNAL,
    INVALID_ARGUMENT,
    PERMISSION_DENIED,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNIMPLEMENTED,
)
from google.rpc.status_pb2 import Status
from starlette.requests import Request
from starlette.responses import Response

from collector.decode import is_json
from collector.door import Authenticate, body_of, caller
from collector.limits import FUTURE, OTLP_BODY
from collector.otlp.check import Verdict, check
from collector.otlp.decode import as_protobuf, from_json, from_protobuf
from collector.otlp.enrich import Enricher
from collector.otlp.line import Line, to_line
from collector.otlp.rewrite import needs_rewrite, rewrite
from collector.otlp.signal import METRICS_REQUEST, METRICS_RESPONSE, TRACES, Signal
from collector.otlp.speakers import Speakers
from collector.rejection import Rejection
from collector.stats import Totals
from collector.stream import Stream
from tower.model.connections import Connections
from tower.model.principal import Principal
from tower.model.problem import Problem

_T = TypeVar("_T")
PROTOBUF = "application/x-protobuf"
_CODES = {
    400: INVALID_ARGUMENT,
    401: UNAUTHENTICATED,
    403: PERMISSION_DENIED,
    405: UNIMPLEMENTED,
    413: RESOURCE_EXHAUSTED,
    415: INVALID_ARGUMENT,
    429: RESOURCE_EXHAUSTED,
    503: UNAVAILABLE,
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # so that a wrong one is told in OTLP's way


@dataclass(slots=True)
class OtlpDoor:
    """Takes one signal from any sender that may send for the connection it belongs to."""

    signal: Signal
    stream: Stream
    connections: Connections
    enricher: Enricher
    authenticate: Authenticate
    clock: Callable[[], datetime]
    totals: Totals
    decoders: ThreadPoolExecutor

    async def handle(self, request: Request) -> Response:
        """Answer one export request. Raises Problem."""
        principal = _sender(request, self.authenticate)
        self.stream.admit()
        json = _wants_json(request)
        body = await body_of(request, OTLP_BODY)
        line, verdict = await _decoded(self.decoders, self._take, body, json, principal)
        if line:
            await self.stream.commit(line)
        self._count(verdict)
        reply: Any = self.signal.response()
        if verdict.refused:
            setattr(reply.partial_success, self.signal.rejected, verdict.refused)
            reply.partial_success.error_message = "; ".join(verdict.reasons)
        return _answer(reply, json)

    def _take(self, body: bytes, json: bool, principal: Principal) -> tuple[bytes, Verdict]:
        """Return the journal line, empty if nothing stays, and the verdict. Raises Rejection."""
        now = self.clock()
        if json:
            body = as_protobuf(body, self.signal.request)
        request = from_protobuf(body, self.signal.checked)
        speakers = Speakers(self.connections, principal)
        verdict = check(self.signal, request, len(body), speakers, _ns(now + FUTURE))
        if not verdict.kept:
            return b"", verdict
        wanted = self.enricher.wanted(body)
        if needs_rewrite(request, verdict, wanted or speakers.stamps):
            clean = rewrite(self.signal, body, request, verdict, speakers, _ns(now))
            if wanted:
                self.enricher.enrich(self.signal, clean, speakers.connection_of)
            body = clean.SerializeToString()
        return to_line(Line(body, verdict.heard)), verdict

    def _count(self, verdict: Verdict) -> None:
        if self.signal is TRACES:
            self.totals.spans += verdict.kept
            self.totals.spans_rejected += verdict.refused
        else:
            self.totals.logs += verdict.kept
            self.totals.logs_rejected += verdict.refused


@dataclass(slots=True)
class MetricsDoor:
    """Says to senders of metrics that the tower keeps none, in the way that makes them stop without an alarm."""

    authenticate: Authenticate
    decoders: ThreadPoolExecutor

    async def handle(self, request: Request) -> Response:
        """Answer one export request: every data point is refused. Raises Problem."""
        _sender(request, self.authenticate)
        json = _wants_json(request)
        body = await body_of(request, OTLP_BODY)
        points = await _decoded(self.decoders, _data_points, body, json)
        reply = METRICS_RESPONSE()
        if points:
            reply.partial_success.rejected_data_points = points
            reply.partial_success.error_message = "the tower keeps traces and logs, no metrics"
        return _answer(reply, json)


def statuses(
    handle: Callable[[Request], Awaitable[Response]], totals: Totals
) -> Callable[[Request], Awaitable[Response]]:
    """Return handle with each Problem answered as a google.rpc.Status in the request's type."""

    async def endpoint(request: Request) -> Response:
        try:
            if request.method != "POST":
                raise Problem(405, "method_not_allowed", "send OTLP with POST", headers={"Allow": "POST"})
            return await handle(request)
        except Problem as problem:
            totals.refused += 1
            code = _CODES.get(problem.status, INTERNAL)
            if is_json(request.headers.get("content-type", "")):
                body = msgspec.json.encode({"code": code, "message": problem.detail})
                media_type = "application/json"
            else:
                body = Status(code=code, message=problem.detail).SerializeToString()
                media_type = PROTOBUF
            return Response(body, problem.status, headers=problem.headers, media_type=media_type)

    return endpoint


def _sender(request: Request, authenticate: Authenticate) -> Principal:
    principal = caller(request, authenticate)
    if not (principal.connections or principal.can("admin")):
        raise Problem(403, "forbidden", "this token may only read; telemetry needs a token that may send")
    return principal


def _wants_json(request: Request) -> bool:
    """Return whether the request is JSON, False for protobuf. Raises Problem 415 for anything else."""
    content_type = request.headers.get("content-type", "")
    json = is_json(content_type)
    if not json and content_type.split(";", 1)[0].strip().lower() != PROTOBUF:
        raise Problem(415, "unsupported_media_type", f"Content-Type is {content_type!r}; send {PROTOBUF} or JSON")
    return json


async def _decoded(decoders: ThreadPoolExecutor, work: Callable[..., _T], *arguments: object) -> _T:
    try:
        return await asyncio.get_running_loop().run_in_executor(decoders, work, *arguments)
    except Rejection as refused:
        raise Problem(400, refused.code, refused.detail) from None


def _data_points(body: bytes, json: bool) -> int:
    request: object = from_json(body, METRICS_REQUEST) if json else from_protobuf(body, METRICS_REQUEST)
    assert isinstance(request, METRICS_REQUEST)
    metrics = [m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics]
    return sum(len(getattr(m, kind).data_points) for m in metrics if (kind := m.WhichOneof("data")))


def _answer(reply: Message, json: bool) -> Response:
    if json:
        return Response(json_format.MessageToJson(reply, indent=None), media_type="application/json")
    return Response(reply.SerializeToString(), media_type=PROTOBUF)


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1000) * 1_000_000
