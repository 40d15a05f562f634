"""W3C Baggage as it shows in telemetry: only the tower's own members are read of it.

Source: W3C Baggage, "Header Value"; at most 8192 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from rules.vocabulary import ID_FIELDS

MAX_BYTES = 8192
# Where instrumentation leaves the header: as an attribute of its own, or as the header of an HTTP request or a message.
ATTRIBUTES = ("baggage", "http.request.header.baggage", "messaging.header.baggage")
ALLOWED = frozenset(f"o2c.{name}" for name in (*ID_FIELDS, "milestone"))


def members(header: str) -> Iterator[tuple[str, str]]:
    """Give the allowed members with their values; whatever else it holds, or a header too long, gives nothing."""
    if len(header.encode(errors="replace")) > MAX_BYTES:
        return
    for member in header.split(","):
        pair, _, _ = member.partition(";")
        name, equals, value = pair.partition("=")
        if equals and name.strip() in ALLOWED and (text := unquote(value.strip(), errors="replace")):
            yield name.strip(), text
