-- Alerts that hold a breach of one order; subscriptions left out. Parameter: order_id. One row: one breach in one alert. Order: latest first.
SELECT
    m.alert_id AS alert_id, m.breach_id AS breach_id, m.facts['rule'] AS rule, m.facts['kind'] AS kind, m.state AS breach_state,
    multiIf(a.closed_at IS NOT NULL, 'closed', a.acknowledged_by != '', 'acknowledged', 'open') AS state, a.receiver AS receiver,
    a.labels AS labels, m.told > 0 AS told, m.held_by AS held_by, a.first_at AS told_at, a.last_at AS last_at, a.reason AS reason,
    a.next_at AS next_at, a.next_reason AS next_reason, a.acknowledged_by AS acknowledged_by, a.closed_at AS closed_at
FROM (SELECT * FROM alert_breaches FINAL WHERE order_id = {order_id:String}) AS m
INNER JOIN (SELECT * FROM alerts FINAL WHERE alert_id IN (SELECT alert_id FROM alert_breaches WHERE order_id = {order_id:String}) AND NOT startsWith(receiver, 'subscription/')) AS a
    ON a.alert_id = m.alert_id
ORDER BY a.opened_at DESC, m.alert_id, m.breach_id
LIMIT 100
