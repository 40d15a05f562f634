"""What a message calls itself: its id at the sender, whether that id is beyond doubt, and what kind of message it is.

Vendors put these in headers or at the top of the body; a connection may say where (`event_id`).
Source: each vendor's webhook documentation, see docs/connections/doors.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from collector.limits import MAX_ID
from collector.part import part_of
from tower.model.connection import Connection
from tower.model.schemes import KEY

# Where each scheme's vendor puts the id of a delivery or event; the first that is there counts.
_IDS: dict[str, tuple[str, ...]] = {
    "shopify": ("header:x-shopify-webhook-id", "header:shopify-webhook-id"),
    "zendesk": ("header:x-zendesk-webhook-invocation-id",),
    "standard_webhooks": ("header:webhook-id",),
}
# Schemes that vouch for the request as a whole, not for the body alone.
_WHOLE = frozenset({KEY, "basic", "bearer", "header_secret", "query_secret", "mtls_header"})
_SIGNED_HEADERS = frozenset({"header:webhook-id"})
_TOPIC_HEADERS = (
    "x-shopify-topic",
    "shopify-topic",
    "ce-type",
    "x-adobe-event-code",
    "x-amz-sns-message-type",
    "aeg-event-type",
)
_TOPIC_FIELDS = ("type", "event_type", "eventType", "BusinessEventId", "event", "description", "topic", "resource_type")
_ID_FIELDS = ("id", "event_id", "EventId", "eventId", "MessageId", "messageId")


class Named(NamedTuple):
    """event_id is '' when the message has none; signed says that nobody but the sender can have written it."""

    event_id: str
    signed: bool
    topic: str


_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str | int)


def names_of(connection: Connection, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Named:
    """Return what a message calls itself. Bytes that cannot be read have no names."""
    fields = _top(body)
    topic = next((headers[h] for h in _TOPIC_HEADERS if headers.get(h)), "") or _first(fields, _TOPIC_FIELDS)
    scheme = connection.verify.scheme
    parts = (connection.event_id,) if connection.event_id else _IDS.get(scheme, ())
    for part in parts:
        if found := part_of(part, headers, query, body):
            signed = scheme in _WHOLE or part.startswith("body:") or part in _SIGNED_HEADERS
            return Named(found[:MAX_ID], signed, topic[:MAX_ID])
    if "ce-id" in headers:
        found = f"{headers.get('ce-source', '')} {headers['ce-id']}"
        return Named(found[:MAX_ID], scheme in _WHOLE, topic[:MAX_ID])
    found = _first(fields, _ID_FIELDS)
    if found and "specversion" in fields:
        found = f"{_first(fields, ('source',))} {found}"
    return Named(found[:MAX_ID], True, topic[:MAX_ID])


def _top(body: bytes) -> Mapping[str, msgspec.Raw]:
    """Return the fields of a JSON object; the values stay unread, so that a large body costs little."""
    if body.lstrip()[:1] != b"{":
        return {}
    try:
        return _object.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if name in fields:
            try:
                return str(_text.decode(fields[name]))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
    return ""
