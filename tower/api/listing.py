"""Long lists: the same limit and cursor everywhere, over queries that end in `LIMIT` and number their rows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tower.api.context import ApiContext
from tower.api.wire import records
from tower.model.problem import Problem
from tower.store.sql import load


class PageQuery(BaseModel):
    """Where to start and how much to return. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=5000)] = 100
    cursor: Annotated[str | None, Field(max_length=2000, description="next_cursor of the page before")] = None

    @field_validator("*", mode="before")
    @classmethod
    def _no_control_bytes(cls, value: object) -> object:
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("holds a zero byte")
        return value


def read_listing(
    context: ApiContext,
    name: str,
    query: PageQuery,
    clauses: list[str],
    values: dict[str, Any],
    parts: Mapping[str, str] | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Return JSON-ready rows of the named query and the cursor behind them.

    The SQL file has $where and LIMIT {limit:UInt32}, sorts falling by a tuple of two texts, and selects that tuple
    as its last columns `page_key` and `page_id`. parts: further places in it with the SQL of ours that goes there.
    """
    wanted, bound = list(clauses), dict(values)
    if query.cursor is not None:
        wanted.append("(page_key, page_id) < ({page_key:String}, {page_id:String})")
        bound["page_key"], bound["page_id"] = _read(query.cursor)
    text = load(name).replace("$where", "\n    AND ".join(wanted) or "true")
    for place, sql in (parts or {}).items():
        text = text.replace(place, sql)
    with context.store.reader() as client:
        found = client.query(text, parameters={**bound, "limit": query.limit + 1})
    rows = found.result_rows
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    cursor = _write(str(rows[-1][-2]), str(rows[-1][-1])) if more else None
    return records(found.column_names[:-2], [row[:-2] for row in rows]), cursor


def _write(key: str, row_id: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([key, row_id])).decode().rstrip("=")


def _read(text: str) -> tuple[str, str]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Problem(400, "bad_cursor", "this is no cursor of ours; start again without cursor") from None
