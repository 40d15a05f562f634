-- What went through each stage in the last 24 hours. Parameter: now; orders: the table. One row: one stage. No order.
SELECT
    rule,
    countIf(started_at > {now:DateTime64(3, 'UTC')} - INTERVAL 1 DAY) AS entered,
    countIf(stopped_at > {now:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND state = 'stopped') AS completed,
    countIf(verdict IN ('failing', 'late', 'diverging')) AS stuck,
    uniqExactIf(order_no, verdict IN ('failing', 'late', 'diverging')) AS stuck_orders,
    uniqExactIf(order_no, stopped_at > {now:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND state = 'stopped') AS completed_orders
FROM
(
    SELECT order_no, clocks.rule AS rules, clocks.started_at AS starts, clocks.stopped_at AS stops,
        clocks.state AS states, clocks.verdict AS verdicts
    FROM $orders
    WHERE on_board AND (closed_at IS NULL OR last_at > {now:DateTime64(3, 'UTC')} - INTERVAL 1 DAY)
)
ARRAY JOIN rules AS rule, starts AS started_at, stops AS stopped_at, states AS state, verdicts AS verdict
GROUP BY rule
