-- Orders that are stuck now, as the board has them. orders: the table. One row: one order; measure: seconds since. No order.
SELECT
    order_no, order_id, toString(stage) AS stage, order_id AS thing, assumeNotNull(ifNull(since, started_at)) AS at,
    CAST(dateDiff('millisecond', at, {as_of:DateTime64(3, 'UTC')}) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(1) AS good, value_at_risk AS amount,
    toUInt8(value_at_risk IS NULL) AS unpriced
FROM $orders
WHERE on_board AND closed_at IS NULL AND state IN ('failing', 'late', 'diverging')
