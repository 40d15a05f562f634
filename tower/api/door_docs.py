"""What the OpenAPI document says about the doors: plain routes of the collector, which describe themselves nowhere.

A door that is not served is not described. docs/events.md and docs/connections have the details.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.routing import BaseRoute, Route

from tower.model.problem import Problem

_EVENT = {
    "specversion": "1.0", "id": "e-17", "source": "/wms/berlin", "type": "o2c.shipment_confirmed",
    "time": "2026-11-23T10:00:00Z", "data": {"order_id": "SO-1", "shipment_id": "SH-1"},
}  # fmt: skip
_COUNTS = {"accepted": 1, "duplicate": 0, "quarantined": 0, "rejected": []}
_REFUSED = {
    "description": "A refusal",
    "content": {Problem.media_type: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_STATUS = {
    "description": "A refusal in the words of OTLP",
    "content": {media: {} for media in ("application/json", "application/x-protobuf")},
}
_CONNECTION = {"name": "connection", "in": "path", "required": True, "schema": {"type": "string"}}


def _says(example: Any, media: str = "application/json") -> dict[str, Any]:
    return {"description": "As asked", "content": {media: {"example": example}}}


def _takes(**examples: Any) -> dict[str, Any]:
    return {"required": True, "content": {media: {"example": example} for media, example in examples.items()}}


def _otlp(what: str, key: str) -> dict[str, Any]:
    return {
        "summary": f"{what} of OpenTelemetry, OTLP/HTTP in protobuf or JSON",
        "tags": ["doors"],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"example": {key: []}}, "application/x-protobuf": {}},
        },
        "responses": {"200": _says({"partialSuccess": {}}), "default": _STATUS},
    }


def _door(summary: str, **operation: Any) -> dict[str, Any]:
    responses = {**operation.pop("responses"), "default": _REFUSED}
    return {"summary": summary, "tags": ["doors"], **operation, "responses": responses}


DOORS: dict[str, dict[str, dict[str, Any]]] = {
    "/v1/events": {
        "post": _door(
            "CloudEvents: structured, binary, batch, or one a line",
            parameters=[
                {
                    "name": "wait", "in": "query", "schema": {"type": "string", "enum": ["stored"]},
                    "description": "Answer when everything up to here is judged",
                }
            ],
            requestBody=_takes(
                **{"application/cloudevents+json": _EVENT, "application/cloudevents-batch+json": [_EVENT]}
            ),
            responses={"200": _says(_COUNTS)},
        )
    },
    "/v1/ingest/{connection}": {
        "post": _door(
            "A system's own message, proved by its connection's signature",
            parameters=[_CONNECTION],
            requestBody=_takes(**{"application/json": {"id": 820982911946154508, "name": "#1001"}}),
            responses={"200": {"description": "Taken"}},
        ),
        "get": _door(
            "The handshake of a webhook", parameters=[_CONNECTION], responses={"200": {"description": "The answer"}}
        ),
        "options": _door(
            "A webhook asks for permission", parameters=[_CONNECTION], responses={"200": {"description": "Granted"}}
        ),
    },
    "/v1/traces": {"post": _otlp("Spans", "resourceSpans")},
    "/v1/logs": {"post": _otlp("Log records", "resourceLogs")},
    "/v1/metrics": {"post": _otlp("Metrics, which are taken and not kept,", "resourceMetrics")},
    "/v1/files/{connection}": {
        "post": _door(
            "A batch file, taken whole and once",
            parameters=[_CONNECTION],
            requestBody={"required": True, "content": {"application/octet-stream": {}}},
            responses={
                "202": _says({"raw_id": "019ca8f0c8408bd6"}),
                "200": _says({"raw_id": "019ca8f0c8408bd6", "duplicate": True}),
            },
        )
    },
    "/v1/files/{connection}/{raw_id}": {
        "get": _door(
            "What became of a file",
            parameters=[_CONNECTION, {"name": "raw_id", "in": "path", "required": True, "schema": {"type": "string"}}],
            responses={"200": _says({"raw_id": "019ca8f0c8408bd6", "outcome": "mapped", "events": 120})},
        )
    },
    "/v1/schemas": {
        "get": _door("The schema of an event", responses={"200": _says({"type": "object"}, "application/schema+json")})
    },
    "/v1/schemas/{name}": {
        "get": _door(
            "The schema of a contract",
            parameters=[{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
            responses={"200": _says({"type": "object"}, "application/schema+json")},
        )
    },
}  # fmt: skip


def describe_doors(document: dict[str, Any], routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the document with the doors among the routes described."""
    served = {r.path for r in routes if isinstance(r, Route)}
    document["paths"] |= {
        path: told for path, told in DOORS.items() if path in served and path not in document["paths"]
    }
    return document
