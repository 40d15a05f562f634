"""The compiled rulebook as one text that any ClickHouse client can run as it is, for the orders and moment at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rules.compile.compiled import Compiled
from rules.compile.quote import text

_SETTINGS = ("join_use_nulls = 1", "max_recursive_cte_evaluation_depth = 64")
Mark = tuple[str, str, str, str, str, datetime]  # connection, kind, company, warehouse, partner, heard up to


def statements(
    compiled: Compiled, order_ids: Sequence[str], marks: Iterable[Mark], as_of: datetime, known_at: datetime
) -> list[str]:
    """Return statements that end with the findings on some orders, as of a moment and by what was known at one.

    Run on the tower's database; only temporary tables are made. marks: how far each feed had been heard.
    """
    listed = ", ".join(text(i) for i in order_ids)
    heard = ",\n    ".join(f"({', '.join(text(v) for v in mark[:5])}, {_instant(mark[5])})" for mark in marks)
    moment = {"as_of": _instant(as_of), "known_at": _instant(known_at)}
    made = [
        f"SET {', '.join(_SETTINGS)}",
        "CREATE OR REPLACE TEMPORARY TABLE scope ENGINE = Memory AS\n"
        f"SELECT DISTINCT order_no, object, order_id FROM order_objects WHERE order_id IN ({listed})",
        "CREATE OR REPLACE TEMPORARY TABLE feed_marks (connection String, kind String, company String, warehouse String, "
        "partner String, watermark DateTime64(3, 'UTC')) ENGINE = Memory",
        *([f"INSERT INTO feed_marks VALUES\n    {heard}"] if heard else []),
    ]
    for step in compiled.steps:
        bound = re.sub(r"\{(as_of|known_at):[^{}]*\}", lambda m: moment[m[1]], step.sql)
        # A step that is not needed leaves an empty table, as in the engine.
        rows = (
            f"\nSELECT * FROM\n(\n{bound}\n)\nWHERE (SELECT count() FROM {step.needs}) > 0"
            if step.needs
            else f"\n{bound}"
        )
        made.append(f"CREATE OR REPLACE TEMPORARY TABLE {step.table} ENGINE = Memory AS{rows}")
    made.append("SELECT * FROM judged_findings ORDER BY rule, kind, object_id")
    return made


def script(parts: Iterable[str]) -> str:
    """Return statements as one text."""
    return ";\n\n".join(parts) + ";\n"


def _instant(at: datetime) -> str:
    return f"toDateTime64('{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}', 3, 'UTC')"
