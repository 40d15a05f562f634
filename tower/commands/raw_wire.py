"""Kept messages and what they become, as the API shows them: no secret and no more of a body than a screen can hold."""

from __future__ import annotations

import base64
import re
from typing import Any

from collector.mapping import Outcome
from collector.raw.message import RawMessage
from tower.api.wire import instant

HIDDEN = "•••"
_MOST = 256 << 10
# Values of JSON members and XML elements whose names speak of secrets.
_JSON = re.compile(
    r'("[^"]*(?:password|passwd|secret|token|api_?key|authorization|signature)[^"]*"\s*:\s*")((?:[^"\\]|\\.)+)', re.I
)
_XML = re.compile(r"(<[^>/]*(?:password|secret|token|apikey|sessionid)[^>/]*>)([^<]+)", re.I)


def message_json(message: RawMessage, body: bytes) -> dict[str, Any]:
    """Return a kept message with its body: text where it is text, else base64."""
    shown = body[:_MOST]
    try:
        text, encoding = shown.decode(), "utf-8"
    except UnicodeDecodeError as error:
        if len(body) > _MOST and error.start > _MOST - 4:
            text, encoding = shown[: error.start].decode(), "utf-8"
        else:
            text, encoding = base64.b64encode(shown).decode(), "base64"
    if encoding == "utf-8":
        text = _XML.sub(rf"\g<1>{HIDDEN}", _JSON.sub(rf"\g<1>{HIDDEN}", text))
    return {
        "raw_id": message.raw_id,
        "connection": message.connection,
        "received_at": instant(message.received_at),
        "method": message.method,
        "headers": message.headers,
        "query": message.query,
        "size": message.size,
        "sha256": message.sha256,
        "event_id": message.event_id,
        "topic": message.topic,
        "scheme": message.scheme,
        "encoding": encoding,
        "body": text,
        "truncated": len(body) > _MOST,
    }


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return what one document of a message becomes."""
    return {
        "position": outcome.position,
        "mapping": outcome.mapping,
        "events": [mapped.event for mapped in outcome.events],
        "reason": outcome.reason,
        "detail": outcome.detail,
        "ignored": outcome.ignored,
        "notes": list(outcome.notes),
    }
