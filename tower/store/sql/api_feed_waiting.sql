-- Orders that wait for a late feed. Parameter: connections. One row: one connection; no order.
SELECT connection, count() AS orders, sum(ifNull(value_at_risk, 0)) AS value
FROM
(
    SELECT arrayJoin(arrayDistinct(waits_for)) AS connection, value_at_risk
    FROM orders FINAL
    WHERE notEmpty(waits_for) AND closed_at IS NULL
)
WHERE connection IN {connections:Array(String)}
GROUP BY connection
