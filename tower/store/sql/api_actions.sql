-- What was asked for. where from tower/api/actions.py. Parameter: limit. One row: one action with its items counted
-- by state, and what its batch is doing: the last step tells, and an action with nothing left to do is done. Order:
-- latest first.
SELECT
    action_id, kind, stage, reason, requested_by, requested_at, counts, safety,
    multiIf(
        last_step = 'cancel', 'cancelled',
        unsent + under_way = 0, 'done',
        unsent = 0, 'running',
        last_step = '' AND safety = 'R3', 'requested',
        last_step = 'pause', 'paused',
        last_step = 'stop', 'stopped',
        'running'
    ) AS state,
    last_actor AS state_by, last_reason AS state_reason, last_at AS state_at,
    leftPad(toString(toUnixTimestamp64Milli(requested_at)), 15, '0') AS page_key, action_id AS page_id
FROM
(
    SELECT
        a.action_id AS action_id, a.kind AS kind, a.stage AS stage, a.reason AS reason, a.requested_by AS requested_by,
        a.requested_at AS requested_at, i.counts AS counts, ifNull(b.safety, '') AS safety,
        ifNull(s.last_step, '') AS last_step, ifNull(s.last_actor, '') AS last_actor,
        ifNull(s.last_reason, '') AS last_reason, s.last_at AS last_at, ifNull(i.unsent, 0) AS unsent,
        ifNull(i.under_way, 0) AS under_way
    FROM
    (
        SELECT action_id, kind, stage, reason, requested_by, requested_at
        FROM actions
        ORDER BY requested_at
        LIMIT 1 BY action_id
    ) AS a
    LEFT JOIN
    (
        SELECT
            action_id, sumMap(map(toString(state), toUInt64(1))) AS counts,
            countIf(state IN ('requested', 'approved')) AS unsent, countIf(state IN ('sent', 'accepted')) AS under_way
        FROM action_items FINAL
        GROUP BY action_id
    ) AS i ON i.action_id = a.action_id
    LEFT JOIN (SELECT action_id, toString(safety) AS safety FROM batches FINAL) AS b ON b.action_id = a.action_id
    LEFT JOIN
    (
        SELECT
            action_id, argMax(toString(step), seq) AS last_step, argMax(actor, seq) AS last_actor,
            argMax(reason, seq) AS last_reason, max(at) AS last_at
        FROM batch_steps
        GROUP BY action_id
    ) AS s ON s.action_id = a.action_id
)
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
