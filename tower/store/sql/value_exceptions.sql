-- Breaches of orders that opened within the window and were not retracted. breaches, orders: the tables.
-- Parameters: since, until. One row: one breach; measure: seconds until it was seen, other: until it was resolved, good:
-- resolved; the order's amount stands at its first breach in the window. No order.
SELECT
    b.order_no AS order_no, b.order_id AS order_id, toString(b.rule) AS stage, concat(toString(b.kind), ' ', b.object_id) AS thing, b.opened_at AS at,
    CAST(greatest(dateDiff('millisecond', b.opened_at, b.detected_at), 0) / 1000 AS Nullable(Float64)) AS measure,
    CAST(dateDiff('millisecond', b.opened_at, b.resolved_at) / 1000 AS Nullable(Float64)) AS other,
    toUInt8(b.state = 'resolved') AS good,
    row_number() OVER (PARTITION BY b.order_no ORDER BY b.opened_at, b.breach_id) = 1 AS first_of_order,
    if(first_of_order, o.reporting_amount, NULL) AS amount,
    toUInt8(first_of_order AND o.reporting_amount IS NULL) AS unpriced
FROM
(
    SELECT *
    FROM $breaches
    WHERE state != 'retracted' AND kind != 'feed_late'
        AND opened_at >= {since:DateTime64(3, 'UTC')} AND opened_at < {until:DateTime64(3, 'UTC')}
) AS b
INNER JOIN (SELECT order_no, reporting_amount FROM $orders WHERE on_board) AS o ON o.order_no = b.order_no
