"""OTLP/HTTP export requests to rows of `otel_traces`, in the shape of the OpenTelemetry ClickHouse exporter.

Source: opentelemetry-proto (trace/v1, common/v1), OTLP specification "OTLP/HTTP".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from collector.rejection import Rejection

ORDER_ATTRIBUTE = "o2c.order_id"
_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUSES = ("Unset", "Ok", "Error")
_IDS = ("traceId", "spanId", "parentSpanId")
# The store's DateTime64(9) ends in 2262, its daily partitions at 2149.
_LAST_NS = 4_102_444_800_000_000_000  # 2100-01-01
_MAX_DEPTH = 32


def from_protobuf(body: bytes) -> ExportTraceServiceRequest:
    """Return the request. Raises Rejection."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise Rejection("invalid_otlp", f"the body is no ExportTraceServiceRequest: {error}") from None
    return request


def from_json(body: bytes) -> ExportTraceServiceRequest:
    """Return the request; ids are hexadecimal, unknown fields are ignored. Raises Rejection."""
    try:
        document = msgspec.json.decode(body)
        _ids_to_base64(document)
        return json_format.ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except RecursionError:
        raise Rejection("too_deep", "the JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Rejection("not_json", f"the body is no JSON: {error}") from None
    except (json_format.ParseError, AttributeError, TypeError, ValueError) as error:
        raise Rejection("invalid_otlp", f"the body is no ExportTraceServiceRequest: {error}") from None


def _ids_to_base64(document: Any) -> None:
    """Turn the hexadecimal ids of OTLP/JSON into the base64 of protobuf's own JSON, in place."""
    for resource in document.get("resourceSpans") or ():
        for scope in resource.get("scopeSpans") or ():
            for span in scope.get("spans") or ():
                for holder in (span, *(span.get("links") or ())):
                    for name in _IDS:
                        if holder.get(name):
                            holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()


def lines(request: ExportTraceServiceRequest) -> tuple[list[bytes], list[str]]:
    """Return (one journal line per good span, the reason for each refused one)."""
    good: list[bytes] = []
    bad: list[str] = []
    for resource in request.resource_spans:
        shared = _resource_columns(resource)
        for scope in resource.scope_spans:
            for span in scope.spans:
                reason = _fault(span)
                if reason:
                    bad.append(f"span {span.name[:100]!r}: {reason}")
                else:
                    good.append(msgspec.json.encode(_row(span, scope, shared)) + b"\n")
    return good, bad


def _fault(span: Span) -> str | None:
    if len(span.trace_id) != 16 or not any(span.trace_id):
        return "trace_id must be 16 bytes and not all zero"
    if len(span.span_id) != 8 or not any(span.span_id):
        return "span_id must be 8 bytes and not all zero"
    if max(span.start_time_unix_nano, span.end_time_unix_nano, *(e.time_unix_nano for e in span.events), 0) >= _LAST_NS:
        return "its times lie after the year 2099"
    return None


def _resource_columns(resource: ResourceSpans) -> dict[str, Any]:
    attributes = _attributes(resource.resource.attributes)
    return {"ServiceName": attributes.get("service.name", ""), "ResourceAttributes": attributes}


def _row(span: Span, scope: ScopeSpans, shared: dict[str, Any]) -> dict[str, Any]:
    attributes = _attributes(span.attributes)
    order_id = shared["ResourceAttributes"].get(ORDER_ATTRIBUTE)
    if order_id and ORDER_ATTRIBUTE not in attributes:
        attributes[ORDER_ATTRIBUTE] = order_id
    return {
        "Timestamp": _instant(span.start_time_unix_nano),
        "TraceId": span.trace_id.hex(),
        "SpanId": span.span_id.hex(),
        "ParentSpanId": span.parent_span_id.hex(),
        "TraceState": span.trace_state,
        "SpanName": span.name,
        "SpanKind": _KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else _KINDS[0],
        **shared,
        "ScopeName": scope.scope.name,
        "ScopeVersion": scope.scope.version,
        "SpanAttributes": attributes,
        "Duration": max(0, span.end_time_unix_nano - span.start_time_unix_nano),
        "StatusCode": _STATUSES[span.status.code] if 0 <= span.status.code < len(_STATUSES) else _STATUSES[0],
        "StatusMessage": span.status.message,
        "Events.Timestamp": [_instant(e.time_unix_nano) for e in span.events],
        "Events.Name": [e.name for e in span.events],
        "Events.Attributes": [_attributes(e.attributes) for e in span.events],
        "Links.TraceId": [link.trace_id.hex() for link in span.links],
        "Links.SpanId": [link.span_id.hex() for link in span.links],
        "Links.TraceState": [link.trace_state for link in span.links],
        "Links.Attributes": [_attributes(link.attributes) for link in span.links],
    }


def _instant(nanoseconds: int) -> str:
    """Return seconds with nine decimals, which the store reads as an instant in UTC."""
    return f"{nanoseconds // 1_000_000_000:010d}.{nanoseconds % 1_000_000_000:09d}"


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: _text(pair.value) for pair in pairs}


def _text(value: AnyValue) -> str:
    """Return an attribute's value as the exporter writes it: text as it is, the rest as JSON."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind is None:
        return ""
    plain = _plain(value, 0)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def _plain(value: AnyValue, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth > _MAX_DEPTH:
        return None
    if kind == "array_value":
        return [_plain(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value, depth + 1) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)
