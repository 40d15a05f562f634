-- Acts on orders that came to an end within the window, of those that were sent. Parameters: since, until, known_at.
-- One row: one item; good: verified, measure: seconds from the act to its proof; the order's amount stands at its first
-- verified item. No order.
SELECT
    i.order_no AS order_no, i.order_id AS order_id, toString(i.stage) AS stage, i.item_id AS thing,
    assumeNotNull(i.finished_at) AS at,
    CAST(dateDiff('millisecond', i.noted_at, i.finished_at) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(i.state = 'verified') AS good,
    good AND row_number() OVER (PARTITION BY i.order_no, i.state ORDER BY i.finished_at, i.item_id) = 1 AS first_of_order,
    if(first_of_order, o.reporting_amount, NULL) AS amount,
    toUInt8(first_of_order AND o.reporting_amount IS NULL) AS unpriced
FROM action_items AS i FINAL
INNER JOIN (SELECT order_no, reporting_amount FROM $orders) AS o ON o.order_no = i.order_no
WHERE i.noted_at IS NOT NULL AND i.finished_at >= {since:DateTime64(3, 'UTC')} AND i.finished_at < {until:DateTime64(3, 'UTC')}
    AND i.finished_at <= {known_at:DateTime64(3, 'UTC')}
