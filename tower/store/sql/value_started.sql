-- Orders that came in within the window. Parameters: since, until. One row: one order. No order.
SELECT
    order_no, order_id, '' AS stage, order_id AS thing, assumeNotNull(started_at) AS at,
    CAST(NULL AS Nullable(Float64)) AS measure, CAST(NULL AS Nullable(Float64)) AS other, toUInt8(state != 'cancelled') AS good,
    reporting_amount AS amount, toUInt8(reporting_amount IS NULL) AS unpriced
FROM value_scope
WHERE at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
