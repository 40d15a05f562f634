"""What people said about an order by hand, as of the moment: held, assigned, escalated, marked done.

The latest word of each kind counts. A mark as done stands until something contrary happens after it: a failure or a
reversal of anything the order had reached. A clock that starts after it reopens the order, as after any other end.
"""

from __future__ import annotations

_IDS = """
        SELECT order_no, order_id FROM scope
        UNION DISTINCT
        SELECT order_no, name_id FROM judged_names WHERE object_type = 'order'
""".strip("\n")

HAND = f"""
-- One row: an order of which something was said by hand. escalated_at, calmed_at: of the latest escalation.
WITH
    (occurred_at, fact_id) AS place,
    arraySort(groupArrayIf((occurred_at, fact_id, undo, by, said), what = 'escalated')) AS calls,
    arrayLast(c -> c.3 = 0, calls) AS last_call,
    arrayLast(c -> c.3 = 1 AND (c.1, c.2) < (last_call.1, last_call.2), calls) AS calm_before,
    arrayFirst(c -> c.3 = 0 AND (c.1, c.2) > (calm_before.1, calm_before.2), calls) AS call,
    arrayFirst(c -> c.3 = 1 AND (c.1, c.2) > (call.1, call.2), calls) AS calm,
    argMaxIf((undo, by, occurred_at), place, what = 'marked_done') AS mark,
    countIf(what = 'marked_done') > 0 AND mark.1 = 0 AND NOT ifNull(any(contrary_at) > mark.3, 0) AS marked
SELECT
    order_no,
    argMaxIf(if(undo, '', by), place, what = 'held') AS held_by,
    argMaxIf(if(undo, '', assignee), place, what = 'assigned') AS assignee,
    if(marked, mark.2, '') AS marked_by, if(marked, mark.3, NULL) AS marked_at,
    call.4 AS escalated_by, call.5 AS escalated_for, call.2 != '' AS escalated, call.1 AS escalated_at,
    if(calm.2 = '', NULL, calm.1) AS calmed_at
FROM
(
    SELECT ids.order_no AS order_no, f.* EXCEPT (order_no), contrary.contrary_at AS contrary_at
    FROM
    (
{_IDS}
    ) AS ids
    INNER JOIN
    (
        SELECT *
        FROM hand_facts FINAL
        WHERE order_id IN (SELECT order_id FROM ({_IDS.strip()}))
            AND occurred_at <= {{as_of:DateTime64(3, 'UTC')}} AND received_at <= {{known_at:DateTime64(3, 'UTC')}}
    ) AS f ON f.order_id = ids.order_id
    LEFT JOIN
    (
        SELECT order_no, max(occurred_at) AS contrary_at
        FROM judged_facts
        WHERE polarity IN ('failed', 'reversed')
        GROUP BY order_no
    ) AS contrary ON contrary.order_no = ids.order_no
)
GROUP BY order_no
"""
