"""A request's bytes, protobuf or JSON, to the bytes of the same request in protobuf and its checked message."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from collector.rejection import Rejection

_IDS = ("traceId", "spanId", "parentSpanId")


def from_protobuf(body: bytes, kind: type[Message]) -> Message:
    """Return the message, unknown fields ignored. Raises Rejection."""
    message = kind()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise Rejection("invalid_otlp", f"the body is no {kind.DESCRIPTOR.name}: {error}") from None
    return message


def from_json(body: bytes, kind: type[Message]) -> Message:
    """Return the message; ids are hexadecimal, enumerations numbers, unknown fields are ignored. Raises Rejection."""
    try:
        document = msgspec.json.decode(body)
        _ids_to_base64(document)
        return json_format.ParseDict(document, kind(), ignore_unknown_fields=True)
    except RecursionError:
        raise Rejection("too_deep", "the JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Rejection("not_json", f"the body is no JSON: {error}") from None
    except (json_format.ParseError, AttributeError, TypeError, ValueError) as error:
        raise Rejection("invalid_otlp", f"the body is no {kind.DESCRIPTOR.name}: {error}") from None


def _ids_to_base64(document: Any) -> None:
    """Turn the hexadecimal ids of OTLP/JSON into the base64 of protobuf's own JSON, in place."""
    for resource in [*(document.get("resourceSpans") or ()), *(document.get("resourceLogs") or ())]:
        for scope in [*(resource.get("scopeSpans") or ()), *(resource.get("scopeLogs") or ())]:
            for item in [*(scope.get("spans") or ()), *(scope.get("logRecords") or ())]:
                for holder in (item, *(item.get("links") or ())):
                    for name in _IDS:
                        if holder.get(name):
                            holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()
