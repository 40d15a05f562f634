-- Breaches that breaches of an alert keep from being told. Parameters: holders, limit. One row: one breach. Order: urgent first.
SELECT breach_id, order_id, facts['rule'] AS rule, facts['kind'] AS kind, facts['priority'] AS priority, toDecimal128OrNull(facts['value'], 6) AS value,
    opened_at, held_by, alert_id
FROM alert_breaches FINAL
WHERE held_by IN {holders:Array(String)} AND state = 'open'
    AND alert_id IN (SELECT alert_id FROM alerts FINAL WHERE closed_at IS NULL)
ORDER BY if(priority = '', '~', priority), value DESC, breach_id
LIMIT {limit:UInt32}
