-- The page of api_orders.sql in DuckDB: the order with its worst clock.
WITH found AS
(
    SELECT
        *, list_position(list_transform(list_zip("clocks.rule", "clocks.object_type", "clocks.object_id"),
            lambda x: x[1] = stage AND x[2] = object_type AND x[3] = object_id), true) AS worst
    FROM orders
    WHERE $where
    ORDER BY coalesce(value_at_risk, -1e30::DECIMAL(38, 6)) DESC, order_id
    LIMIT $limit
)
SELECT
    order_no, order_id, state, stage, object_type, object_id, since, due_at, budget_s, priority, amount, currency,
    reporting_amount, value_at_risk, quantity, promised_at, requested_at, customer_id, customer_tier, order_type, warehouse,
    company, partner, channel, system, error, last_milestone, last_at, next_milestone, version, closed_at,
    "clocks.object"[worst] AS clock_object, "clocks.state"[worst] AS clock_state, "clocks.verdict"[worst] AS clock_verdict,
    "clocks.started_at"[worst] AS clock_started_at, "clocks.used_s"[worst] AS clock_used_s,
    "clocks.calendar"[worst] AS clock_calendar, "clocks.pauses"[worst] AS clock_pauses
FROM found
ORDER BY coalesce(value_at_risk, -1e30::DECIMAL(38, 6)) DESC, order_id
