"""Kept messages and what they become, as the API shows them: no secret and no more of a body than a screen can hold."""

from __future__ import annotations

import base64
from typing import Any

from collector.mapping import Outcome
from collector.raw.message import RawMessage
from tower.api.wire import instant
from tower.model.hide import HIDDEN, hide_person, hide_secrets

_MOST = 256 << 10


def message_json(message: RawMessage, body: bytes, *, persons: bool = True) -> dict[str, Any]:
    """Return a kept message with its body; persons: what tells of somebody is shown, too."""
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
        **body_json(body, persons=persons),
    }


def body_json(body: bytes, *, persons: bool) -> dict[str, Any]:
    """Return as much of a body as is shown, secrets covered: text where it is text, else base64."""
    shown = body[:_MOST]
    try:
        text, encoding = shown.decode(), "utf-8"
    except UnicodeDecodeError as error:
        if len(body) > _MOST and error.start > _MOST - 4:
            text, encoding = shown[: error.start].decode(), "utf-8"
        else:
            text, encoding = base64.b64encode(shown).decode() if persons else HIDDEN, "base64"
    if encoding == "utf-8":
        text = hide_secrets(text) if persons else hide_person(hide_secrets(text))
    return {"encoding": encoding, "body": text, "truncated": len(body) > _MOST}


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
