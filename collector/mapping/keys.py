"""Every key a mapping file may hold, by part; what is not here is an error. See docs/connections/mappings.md."""

from __future__ import annotations

from rules.vocabulary import ORDER_ATTRIBUTES

_VALUE = ("expr", "value", "transform", "not_personal")
_IDENTITY = ("occurred_at", "objects", "attributes", "further", "reason", "error")

KEYS: dict[str, tuple[str, ...]] = {
    "mapping": (
        "mapping",
        "version",
        "status",
        "source",
        "decode",
        "match",
        "ignore",
        "refuse",
        "let",
        "tables",
        "event_key",
        "source_version",
        "common",
        "emit",
        "tests",
    ),
    "refuse": ("reason", "detail"),
    "common": _IDENTITY,
    "emit": ("milestone", "polarity", "when", "foreach", *_IDENTITY, "links", "event_key"),
    "plugin": ("plugin",),
    "value": _VALUE,
    "time": (*_VALUE, "parse", "zone", "precision", "basis", "not_after"),
    "object": ("type", "key", "scope", *_VALUE, "when", "foreach", "as", "names"),
    "name": ("key", "scope", *_VALUE),
    "link": ("from", "to", "relation", "retract"),
    "attributes": ORDER_ATTRIBUTES,
    "test": (
        "name",
        "headers",
        "query",
        "connection",
        "received_at",
        "input",
        "text",
        "file",
        "expect",
        "ignored",
        "quarantine",
    ),
    "connection": ("name", "kind", "source", "zone", "currency", "company", "codes"),
}
