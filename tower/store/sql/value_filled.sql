-- Orders that first shipped within the window and whose quantities were told, both what was ordered and what was shipped.
-- Parameters: since, until. One row: one order; measure: ordered, other: shipped of it, good: all of it. No order.
SELECT
    s.order_no AS order_no, s.order_id AS order_id, '' AS stage, s.order_id AS thing, assumeNotNull(q.first_at) AS at,
    CAST(q.ordered AS Nullable(Float64)) AS measure, CAST(least(q.shipped, q.ordered) AS Nullable(Float64)) AS other,
    toUInt8(q.shipped >= q.ordered) AS good, s.reporting_amount AS amount, toUInt8(s.reporting_amount IS NULL) AS unpriced
FROM value_scope AS s
INNER JOIN
(
    SELECT
        order_no, minIf(reached_at, meaning = 'ship') AS first_at, sumIf(quantity, meaning = 'order') AS ordered,
        sumIf(quantity, meaning = 'ship') AS shipped
    FROM value_reached
    GROUP BY order_no
    HAVING countIf(meaning = 'ship') > 0 AND countIf(meaning = 'ship' AND quantity IS NULL) = 0 AND ordered > 0
) AS q ON q.order_no = s.order_no
WHERE at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
