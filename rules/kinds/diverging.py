"""diverging (of a stage): past due, others say it happened, and the authority's feed has passed without saying so."""

from __future__ import annotations


def findings_sql() -> str:
    """Return the rows of this kind from judged_clocks."""
    return """
/* kind: diverging */
SELECT
    order_no, rule, 'diverging' AS kind, object, object_type, object_id, assumeNotNull(due_at) AS opened_at,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE NOT provisional AND past AND passed AND to_echo_at IS NOT NULL
""".strip()
