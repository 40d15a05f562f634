-- What was asked for. where from tower/api/actions.py. Parameter: limit. One row: one action with its items counted
-- by state. Order: latest first.
SELECT
    action_id, kind, stage, reason, requested_by, requested_at, counts,
    leftPad(toString(toUnixTimestamp64Milli(requested_at)), 15, '0') AS page_key, action_id AS page_id
FROM
(
    SELECT action_id, kind, stage, reason, requested_by, requested_at
    FROM actions
    ORDER BY requested_at
    LIMIT 1 BY action_id
) AS a
LEFT JOIN
(
    SELECT action_id, sumMap(map(toString(state), toUInt64(1))) AS counts
    FROM action_items FINAL
    GROUP BY action_id
) AS i USING (action_id)
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
