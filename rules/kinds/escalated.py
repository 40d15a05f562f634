"""escalated: a person said that an order needs more hands. No rule of the book finds it; it lasts until it is taken back."""

from __future__ import annotations


def findings_sql() -> str:
    """Return the rows of this kind from judged_hand, on the order itself; the rule of such a finding is `escalated`."""
    return """
/* kind: escalated */
SELECT
    h.order_no AS order_no, 'escalated' AS rule, 'escalated' AS kind, scope.object AS object, 'order' AS object_type,
    scope.order_id AS object_id, h.escalated_at AS opened_at, h.calmed_at AS resolved_at, '' AS milestone, '' AS system,
    h.escalated_for AS error, toUInt64(0) AS from_event, toUInt64(0) AS to_event, h.escalated_at AS started_at,
    CAST(NULL AS Nullable(Int64)) AS budget_s, CAST(NULL AS Nullable(Int64)) AS used_s, '' AS calendar,
    CAST([] AS Array(Tuple(DateTime64(3, 'UTC'), DateTime64(3, 'UTC')))) AS holds, 0 AS outlives,
    toJSONString(CAST(tuple(h.escalated_by), 'Tuple(by String)')) AS more
FROM judged_hand AS h
INNER JOIN scope ON scope.order_no = h.order_no
WHERE h.escalated
""".strip()
