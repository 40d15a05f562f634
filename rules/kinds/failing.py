"""failing: a milestone was reported as failed on an object and has not been reached there since."""

from __future__ import annotations


def findings_sql() -> str:
    """Return the rows of this kind from judged_failures; the rule of such a finding is `<milestone>.failed`."""
    return """
/* kind: failing */
SELECT
    order_no, concat(milestone, '.failed') AS rule, 'failing' AS kind, object, object_type, object_id,
    since AS opened_at, if(failing, NULL, healed_at) AS resolved_at, milestone, system, error,
    event AS from_event, toUInt64(0) AS to_event, since AS started_at, CAST(NULL AS Nullable(Int64)) AS budget_s,
    CAST(NULL AS Nullable(Int64)) AS used_s, '' AS calendar,
    CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC')))) AS holds
FROM judged_failures
""".strip()
