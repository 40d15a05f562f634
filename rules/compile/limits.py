"""Limits of clocks that are known already: the budget a stage gives each of them, in the shape of judged_ends.

A backtest in which only limits differ takes begin, end and pauses of the stored clocks and runs the book's own
judged_dues over these rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.compile.clocks import STAGE_COLUMNS, limit_items, stage_line
from rules.compile.quote import text
from rules.model import Book, Stage


def limits_sql(book: Book, stages: Sequence[Stage]) -> str:
    """Return the step that gives the rows of `stored_clocks` (clocks with their order's attributes) their limits."""
    lines = ",\n        ".join(stage_line(book, stage) for stage in stages)
    items = ",\n    ".join(limit_items(book))
    return f"""
-- One row: a stored clock with the limit that the book gives it.
SELECT
    o.order_no AS order_no, o.rule AS rule, o.object AS object, o.started_at AS started_at, o.end_at AS end_at,
    o.holds AS holds,
    {items}
FROM stored_clocks AS o
INNER JOIN
(
    SELECT rule, within_ms AS own_within_ms, until AS own_until, plus_ms AS own_plus_ms, calendar AS own_calendar
    FROM values(
        {text(STAGE_COLUMNS)},
        {lines})
) AS run ON run.rule = o.rule
""".strip()
