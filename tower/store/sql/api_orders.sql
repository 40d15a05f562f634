-- One page of the board. orders, where, key and direction come from tower/api/order_query.py, cases (which cases of the
-- policies hold) from rules/compile/retry.py; values are bound.
-- Parameter: limit. One row: one order described by its worst clock. Order: sort key, then order_id.
WITH arrayFirstIndex(
    (rule, type, id) -> rule = stage AND type = object_type AND id = object_id,
    clocks.rule, clocks.object_type, clocks.object_id
) AS worst
SELECT
    order_no, order_id, state, stage, object_type, object_id, since, due_at, budget_s, priority, amount, currency,
    reporting_amount, value_at_risk, quantity, promised_at, requested_at, customer_id, customer_tier, order_type, warehouse, company, partner, channel,
    system, error, last_milestone, last_at, next_milestone, version, closed_at,
    held_by, assignee, escalated_by, closed_by, $cases AS cases,
    clocks.object[worst] AS clock_object,
    clocks.state[worst] AS clock_state,
    clocks.verdict[worst] AS clock_verdict,
    clocks.error[worst] AS clock_error,
    if(worst = 0, NULL, clocks.started_at[worst]) AS clock_started_at,
    clocks.used_s[worst] AS clock_used_s,
    clocks.calendar[worst] AS clock_calendar,
    clocks.pauses[worst] AS clock_pauses,
    toString($key) AS sort_key
FROM $orders
WHERE $where
ORDER BY $key $direction, order_id
LIMIT {limit:UInt32}
