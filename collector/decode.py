"""One event's JSON to a typed event, or a rejection that says where and why."""

from __future__ import annotations

from typing import Any

import msgspec

from collector.event import Data, Event
from collector.rejection import Rejection

_event = msgspec.json.Decoder(Event)
_data = msgspec.json.Decoder(Data)

_HINTS = {
    "field `time`": ("time_missing", "; give RFC 3339 with a zone, such as 2026-03-01T09:30:00Z"),
    "timezone component": ("time_without_zone", "; add Z or an offset such as +01:00"),
    "RFC3339": ("time_invalid", "; give RFC 3339 with a zone, such as 2026-03-01T09:30:00Z"),
}


class _Named(msgspec.Struct):
    id: Any = None


_named = msgspec.json.Decoder(_Named)


def decode(raw: bytes | msgspec.Raw) -> Event:
    """Return the event. raw must be UTF-8 throughout; raises Rejection."""
    try:
        event = _event.decode(raw)
        if event.data_base64 is not None:
            event.data = _data.decode(event.data_base64)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except msgspec.DecodeError as error:
        raise Rejection("not_json", f"this is no JSON: {error}") from None
    except RecursionError:
        raise Rejection("too_deep", "the JSON is nested too deeply; an event is flat") from None
    except UnicodeDecodeError:
        raise invalid_utf8() from None
    content = event.datacontenttype
    if content is not None and content != "application/json" and not is_json(content):
        raise Rejection("data_not_json", f"datacontenttype is {content!r}; data must be application/json")
    return event


def id_of(raw: bytes | msgspec.Raw) -> str:
    """Return the id that a refused event names, '' if none can be read."""
    try:
        found = _named.decode(raw).id
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    return found if isinstance(found, str) else ""


def is_json(media_type: str) -> bool:
    """Return whether a media type says JSON, whatever its parameters."""
    essence = media_type.split(";", 1)[0].strip().lower()
    return essence == "application/json" or essence == "text/json" or essence.endswith("+json")


def invalid_utf8() -> Rejection:
    """Return the rejection of bytes that are no text."""
    return Rejection("invalid_utf8", "the bytes are not valid UTF-8; encode the event as UTF-8")


def _invalid(message: str) -> Rejection:
    for part, (code, hint) in _HINTS.items():
        if part in message:
            return Rejection(code, message + hint)
    return Rejection("invalid_event", message)
