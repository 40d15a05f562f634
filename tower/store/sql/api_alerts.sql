-- Alerts. where from tower/api/alerts.py. Parameters: priorities (best first), limit. One row: one alert. Order: open ones
-- before closed, then what belongs to no order (feeds, targets), then the class, then the money.
SELECT
    alert_id, multiIf(closed_at IS NOT NULL, 'closed', acknowledged_by != '', 'acknowledged', 'open') AS state, receiver,
    labels, priority, value, orders, breaches, open_breaches, opened_at, first_at AS told_at, last_at, reason, next_at, next_reason,
    notices, escalated, acknowledged_by, acknowledged_at, note, closed_at, outcome, updated_at,
    if(closed_at IS NULL,
        concat('1', leftPad(toString(99 - indexOf({priorities:Array(String)}, CAST(priority AS String))), 2, '0'), leftPad(toString(toInt64(value)), 18, '0')),
        concat('0', leftPad(toString(toUnixTimestamp64Milli(assumeNotNull(closed_at))), 20, '0'))) AS page_key,
    alert_id AS page_id
FROM alerts FINAL
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
