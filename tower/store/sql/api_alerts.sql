-- Alerts. where from tower/api/alerts.py. Parameters: priorities (best first), limit. One row: one alert, acknowledged as was
-- last said, also where the engine has not read it yet. Order: open ones before closed, then what belongs to no order
-- (feeds, targets), then the class, then the money.
SELECT
    alert_id, multiIf(closed_at IS NOT NULL, 'closed', acknowledged_by != '', 'acknowledged', 'open') AS state, receiver,
    labels, priority, value, orders, breaches, open_breaches, opened_at, first_at AS told_at, last_at, reason, next_at, next_reason,
    notices, escalated, acknowledged_by, acknowledged_at, note, closed_at, outcome, updated_at,
    if(closed_at IS NULL,
        concat('1', leftPad(toString(99 - indexOf({priorities:Array(String)}, CAST(priority AS String))), 2, '0'), leftPad(toString(toInt64(value)), 18, '0')),
        concat('0', leftPad(toString(toUnixTimestamp64Milli(assumeNotNull(closed_at))), 20, '0'))) AS page_key,
    alert_id AS page_id
FROM
(
    SELECT a.* EXCEPT (acknowledged_by, acknowledged_at, note, outcome),
        if(a.closed_at IS NULL AND said.found = 1, said.said_by, a.acknowledged_by) AS acknowledged_by,
        if(a.closed_at IS NULL AND said.found = 1, if(said.said_by = '', NULL, said.said_at), a.acknowledged_at) AS acknowledged_at,
        if(said.found = 1, said.said_note, a.note) AS note,
        if(ifNull(corrected.better, '') != '', corrected.better, a.outcome) AS outcome
    FROM (SELECT * FROM alerts FINAL) AS a
    LEFT JOIN (SELECT alert_id AS said_of, by AS said_by, at AS said_at, note AS said_note, 1 AS found FROM alert_acks FINAL) AS said
        ON said.said_of = a.alert_id
    LEFT JOIN (SELECT alert_id AS corrected_of, outcome AS better FROM alert_outcomes FINAL) AS corrected
        ON corrected.corrected_of = a.alert_id
)
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
