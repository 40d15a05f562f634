"""out_of_order (of a stage): the end came before the start, or a clock started on a cancelled order."""

from __future__ import annotations


def findings_sql() -> str:
    """Return the rows of this kind from judged_clocks; it holds until facts or links say otherwise."""
    return """
/* kind: out_of_order */
SELECT
    order_no, rule, 'out_of_order' AS kind, object, object_type, object_id, started_at AS opened_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE disorder OR after_cancelled
""".strip()
