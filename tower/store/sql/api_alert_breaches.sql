-- Breaches of one alert. Parameters: alert_id, limit. One row: one breach. Order: open ones first, then the most urgent.
SELECT
    breach_id, order_id, state, opened_at, detected_at, over_at, told, told_over, quiet, held_by, facts['rule'] AS rule,
    facts['kind'] AS kind, facts['object_type'] AS object_type, facts['object_id'] AS object_id, facts['system'] AS system,
    facts['error'] AS error, facts['priority'] AS priority, toDecimal128OrNull(facts['value'], 6) AS value,
    facts['customer_id'] AS customer_id, facts['owner'] AS owner
FROM alert_breaches FINAL
WHERE alert_id = {alert_id:String}
ORDER BY state != 'open', if(priority = '', '~', priority), value DESC, opened_at, breach_id
LIMIT {limit:UInt32}
