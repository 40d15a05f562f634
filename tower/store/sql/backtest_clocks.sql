-- The stored clocks of some stages in a slice of the orders, with what limits are chosen by. One row: one clock; no order.
-- Parameters: after, until (of order_no), since, now, rules. stale: time or facts may have moved it since it was judged.
SELECT
    o.order_no AS order_no, o.order_id AS order_id, clock.1 AS rule, clock.2 AS object, clock.3 AS object_type, clock.4 AS object_id,
    clock.5 AS started_at, clock.6 AS end_at,
    arrayMap(p -> (p.1, ifNull(p.2, toDateTime64('2200-01-01 00:00:00', 3, 'UTC'))), clock.7) AS holds,
    clock.8 = 'stopped' AS stopped, clock.9 AS provisional, o.next_at <= {now:DateTime64(3, 'UTC')} AS stale,
    o.priority AS priority, o.reporting_amount AS reporting_amount, o.amount AS amount, o.quantity AS quantity,
    o.currency AS currency, o.customer_id AS customer_id, o.customer_tier AS customer_tier, o.channel AS channel,
    o.order_type AS order_type, o.company AS company, o.warehouse AS warehouse, o.partner AS partner,
    o.promised_at AS promised_at, o.requested_at AS requested_at
FROM
(
    SELECT *
    FROM orders FINAL
    WHERE order_no > {after:UInt64} AND order_no <= {until:UInt64} AND on_board
        AND (closed_at IS NULL OR closed_at >= {since:DateTime64(3, 'UTC')})
        AND hasAny(clocks.rule, {rules:Array(String)})
) AS o
ARRAY JOIN arrayFilter(c -> has({rules:Array(String)}, c.1), arrayZip(
    o.clocks.rule, o.clocks.object, o.clocks.object_type, o.clocks.object_id, o.clocks.started_at, o.clocks.stopped_at,
    o.clocks.pauses, o.clocks.state, o.clocks.provisional)) AS clock
