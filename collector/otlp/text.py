"""Attribute values as the OpenTelemetry ClickHouse exporter writes them: text as it is, the rest as JSON."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


def text_of(value: AnyValue) -> str:
    """Return the text of a value, '' for an empty one."""
    plain = _plain(value)
    return plain if isinstance(plain, str) else "" if plain is None else msgspec.json.encode(plain).decode()


def _plain(value: AnyValue) -> Any:
    """Return the value as JSON holds it; bytes as base64. The decoder bounds how deep values nest."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind else None
