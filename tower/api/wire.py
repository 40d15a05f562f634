"""How values look on the wire: instants RFC 3339 with Z and milliseconds, money as exact decimal text, ids as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from pydantic import BeforeValidator, WithJsonSchema
from starlette.responses import Response

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2250, 1, 1, tzinfo=UTC)


def instant(value: datetime | None) -> str | None:
    """Return "2026-11-23T10:00:00.000Z", None for None."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def money(value: Decimal | None) -> str | None:
    """Return the exact decimal with at least two places ("1234.50"), None for None."""
    if value is None:
        return None
    text = format(value, "f")
    if "." not in text:
        return text + ".00"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def parse_instant(value: object) -> datetime:
    """Return the instant a caller wrote; it must name its zone. A blank where the + was is forgiven (URLs do that)."""
    if isinstance(value, datetime):
        moment = value
    else:
        text = str(value).strip()
        if len(text) > 6 and text[-6] == " " and text[-3] == ":":
            text = f"{text[:-6]}+{text[-5:]}"
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("write an instant as 2026-11-23T10:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("say the time zone, for example 2026-11-23T10:00:00Z")
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("instants lie between 1970 and 2250")
    return moment.astimezone(UTC)


Instant = Annotated[datetime, BeforeValidator(parse_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


def plain(value: Any) -> Any:
    """Return a value as JSON has it; rows may hold instants, decimals and containers of them."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [plain(v) for v in value]
    return value


def records(columns: tuple[str, ...] | list[str], rows: Any) -> list[dict[str, Any]]:
    """Return result rows as JSON-ready mappings."""
    return [{name: plain(value) for name, value in zip(columns, row, strict=True)} for row in rows]


class Json(Response):
    """A JSON answer of already plain values."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)
