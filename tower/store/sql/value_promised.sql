-- Orders whose promised instant lies within the window and has passed; cancelled ones are left out.
-- Parameters: since, until, as_of, whole: types of the objects that must all be fulfilled. One row: one order; good: every
-- known object was fulfilled by then; measure: seconds from the promise to the last of them. No order.
SELECT
    s.order_no AS order_no, s.order_id AS order_id, '' AS stage, s.order_id AS thing, assumeNotNull(s.promised_at) AS at,
    CAST(if(ifNull(f.missing, 1) = 0, dateDiff('millisecond', at, f.last_at) / 1000, NULL) AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(ifNull(f.missing, 1) = 0 AND ifNull(f.last_at <= at, 0)) AS good,
    s.reporting_amount AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM value_scope AS s
LEFT JOIN
(
    SELECT
        order_no, countIf(fulfilled_at IS NULL) AS missing, max(fulfilled_at) AS last_at
    FROM
    (
        SELECT order_no, object, minOrNullIf(reached_at, meaning = 'fulfil') AS fulfilled_at
        FROM value_reached
        WHERE meaning = 'fulfil' OR (meaning = 'ship' AND has({whole:Array(String)}, object_type))
        GROUP BY order_no, object
    )
    GROUP BY order_no
) AS f ON f.order_no = s.order_no
WHERE s.promised_at IS NOT NULL AND s.state != 'cancelled' AND at >= {since:DateTime64(3, 'UTC')}
    AND at < {until:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
