-- Disagreements between systems that ended within the window. breaches: the table. Parameters: since, until, known_at.
-- One row: one breach; good: nobody touched its order while it was open; measure: seconds it lasted. No order.
SELECT
    b.order_no AS order_no, any(b.order_id) AS order_id, toString(any(b.rule)) AS stage, concat(toString(any(b.kind)), ' ', any(b.object_id)) AS thing,
    assumeNotNull(any(b.resolved_at)) AS at,
    CAST(dateDiff('millisecond', any(b.opened_at), at) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other,
    toUInt8(countIf(t.touched_at >= b.opened_at AND t.touched_at <= b.resolved_at) = 0) AS good,
    CAST(NULL AS Nullable(Decimal(38, 6))) AS amount, toUInt8(0) AS unpriced
FROM
(
    SELECT *
    FROM $breaches
    WHERE state = 'resolved' AND kind IN ('diverging', 'out_of_order', 'duplicate', 'sync_late')
        AND resolved_at >= {since:DateTime64(3, 'UTC')} AND resolved_at < {until:DateTime64(3, 'UTC')}
) AS b
LEFT JOIN
(
    SELECT JSONExtractString(detail, 'order_id') AS order_id, at AS touched_at
    FROM audit
    WHERE actor != 'engine' AND act IN ($acts) AND at <= {known_at:DateTime64(3, 'UTC')}
) AS t ON t.order_id = b.order_id
GROUP BY b.order_no, b.breach_id
