"""What the finding rules of a kind look like inside a statement: one line of a table a rule."""

from __future__ import annotations

from collections.abc import Sequence


def rules_sql(columns: str, lines: Sequence[str]) -> str:
    """Return the table of rules, one a line; columns as ClickHouse writes them."""
    listed = ",\n        ".join(lines)
    return f"""rules AS
(
    SELECT *
    FROM values(
        '{columns}',
        {listed})
)"""
