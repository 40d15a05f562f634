-- Orders as somebody is about to act on them, with their stuck clocks. cases: which cases of the
-- policies hold, from rules/compile/retry.py. Parameter: order_ids. One row: one order. No order.
SELECT
    order_no, order_id, sipHash64('order', order_id) AS object, held_by, assignee, escalated_by, closed_by, on_board, closed_at, state, stage, version, error, system, priority, amount, currency,
    reporting_amount,
    customer_id, customer_tier, channel, order_type, company, warehouse, partner,
    arrayFilter(
        clock -> clock.1 IN ('failing', 'late', 'diverging'),
        arrayZip(
            clocks.verdict, clocks.rule, clocks.object, clocks.object_type, clocks.object_id, clocks.from_milestone,
            clocks.to_milestone, clocks.started_at, clocks.due_at, clocks.system, clocks.error
        )
    ) AS stuck,
    $cases AS cases
FROM orders AS o FINAL
WHERE order_id IN {order_ids:Array(String)}
