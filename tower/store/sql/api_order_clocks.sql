-- The clocks of one order. Parameter: order_no. orders: the table. One row: one clock. Order: start, stage, object.
SELECT
    clock.1 AS stage, clock.2 AS object_type, clock.3 AS object_id, clock.4 AS from_milestone, clock.5 AS to_milestone,
    clock.6 AS started_at, clock.7 AS stopped_at, clock.8 AS due_at, clock.9 AS at_risk_at, clock.10 AS budget_s,
    clock.11 AS used_s, clock.12 AS calendar, clock.13 AS pauses, clock.14 AS state, clock.15 AS verdict,
    clock.16 AS provisional, clock.17 AS system, clock.18 AS error
FROM $orders
ARRAY JOIN arrayZip(
    clocks.rule, clocks.object_type, clocks.object_id, clocks.from_milestone, clocks.to_milestone, clocks.started_at,
    clocks.stopped_at, clocks.due_at, clocks.at_risk_at, clocks.budget_s, clocks.used_s, clocks.calendar,
    clocks.pauses, clocks.state, clocks.verdict, clocks.provisional, clocks.system, clocks.error
) AS clock
WHERE order_no = {order_no:UInt64}
ORDER BY started_at, stage, object_id
