"""What is known of a message beside its body: its connection, its envelope, and when it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_NO_CODES: Mapping[str, Mapping[str, str]] = {}
_NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Context:
    """One message's surroundings. Header names are in lower case; received_at is aware.

    scopes in `codes["scope"]` say, by key, within which scope this connection's values of that key are unique: the
    ERP's `commerce_order_id` is one of the shop's. meta is what else a door knows, such as the name of a file.
    """

    connection: str
    kind: str
    source: str
    received_at: datetime
    zone: str = "UTC"
    currency: str = ""
    company: str = ""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _NO_CODES)
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    query: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    meta: Mapping[str, Any] = field(default_factory=dict)


def root_of(document: Any, context: Context) -> dict[str, Any]:
    """Return what expressions start from."""
    return {
        "headers": dict(context.headers),
        "query": dict(context.query),
        "body": document,
        "meta": {
            **context.meta,
            "connection": context.connection,
            "kind": context.kind,
            "source": context.source,
            "currency": context.currency,
            "company": context.company,
            "codes": {name: dict(table) for name, table in context.codes.items()},
            "received_at": rfc3339(context.received_at),
        },
    }


def rfc3339(at: datetime) -> str:
    """Return an instant as events write it: UTC, cut to the millisecond."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return (at - timedelta(microseconds=at.microsecond % 1000)).isoformat(timespec="milliseconds")[:-6] + "Z"
