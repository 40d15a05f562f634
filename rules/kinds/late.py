"""late: a clock ran past its deadline, and the authority's feed has been heard past it too.

Only where the milestone was told after the deadline is there nothing to wait for.
"""

from __future__ import annotations


def findings_sql() -> str:
    """Return the rows of this kind from judged_clocks; a clock that ended late leaves a resolved one."""
    return """
/* kind: late */
SELECT
    order_no, rule, 'late' AS kind, object, object_type, object_id, assumeNotNull(due_at) AS opened_at,
    if(end_at IS NULL, NULL, end_at) AS resolved_at, to_milestone AS milestone, system, '' AS error,
    from_event, to_event, started_at, budget_s, used_s, calendar, holds
FROM judged_clocks
WHERE NOT provisional AND NOT after_cancelled AND due_at IS NOT NULL
    AND (
        (past AND passed AND to_echo_at IS NULL)
        OR (state = 'stopped' AND assumeNotNull(end_at) > assumeNotNull(due_at))
        OR (state IN ('paused', 'ended') AND passed)
    )
""".strip()
