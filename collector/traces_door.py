"""POST /v1/traces: OTLP/HTTP in protobuf and JSON; answers and errors in the request's own type."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
from google.protobuf import json_format
from google.rpc.code_pb2 import (
    INTERNAL,
    INVALID_ARGUMENT,
    PERMISSION_DENIED,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
)
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.requests import Request
from starlette.responses import Response

from collector import otlp
from collector.decode import is_json
from collector.door import Authenticate, body_of, caller
from collector.limits import OTLP_BODY
from collector.rejection import Rejection
from collector.stats import Totals
from collector.stream import Stream
from tower.model.problem import Problem

PROTOBUF = "application/x-protobuf"
_CODES = {
    400: INVALID_ARGUMENT,
    401: UNAUTHENTICATED,
    403: PERMISSION_DENIED,
    413: RESOURCE_EXHAUSTED,
    415: INVALID_ARGUMENT,
    429: RESOURCE_EXHAUSTED,
    503: UNAVAILABLE,
}


@dataclass(slots=True)
class TracesDoor:
    """Takes spans from any sender that may write."""

    stream: Stream
    authenticate: Authenticate
    totals: Totals
    decoders: ThreadPoolExecutor

    async def handle(self, request: Request) -> Response:
        """Answer one export request. Raises Problem."""
        principal = caller(request, self.authenticate)
        if not (principal.connections or principal.can("operator")):
            raise Problem(403, "forbidden", "this token may only read; spans need a token that may send")
        self.stream.admit()
        content_type = request.headers.get("content-type", "")
        json = is_json(content_type)
        if not json and content_type.split(";", 1)[0].strip().lower() != PROTOBUF:
            raise Problem(415, "unsupported_media_type", f"Content-Type is {content_type!r}; send {PROTOBUF} or JSON")
        body = await body_of(request, OTLP_BODY)
        try:
            lines, bad = await asyncio.get_running_loop().run_in_executor(self.decoders, _decode, body, json)
        except Rejection as refused:
            raise Problem(400, refused.code, refused.detail) from None
        if lines:
            await self.stream.commit(b"".join(lines))
        self.totals.spans += len(lines)
        self.totals.spans_rejected += len(bad)
        reply = ExportTraceServiceResponse()
        if bad:
            reply.partial_success.rejected_spans = len(bad)
            reply.partial_success.error_message = "; ".join(bad[:10])
        if json:
            return Response(json_format.MessageToJson(reply, indent=None), media_type="application/json")
        return Response(reply.SerializeToString(), media_type=PROTOBUF)


def _decode(body: bytes, json: bool) -> tuple[list[bytes], list[str]]:
    return otlp.lines(otlp.from_json(body) if json else otlp.from_protobuf(body))


def statuses(
    handle: Callable[[Request], Awaitable[Response]], totals: Totals
) -> Callable[[Request], Awaitable[Response]]:
    """Return handle with each Problem answered as a google.rpc.Status in the request's type."""

    async def endpoint(request: Request) -> Response:
        try:
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
