-- Alerts that were first escalated within the window. Parameters: since, until, known_at. One row: one alert; it may be
-- about many orders, so order_no is 0; measure: seconds since it opened. No order.
SELECT
    toUInt64(0) AS order_no, '' AS order_id, a.stage AS stage, n.alert_id AS thing, n.first_at AS at,
    CAST(dateDiff('millisecond', a.opened_at, n.first_at) / 1000 AS Nullable(Float64)) AS measure,
    CAST(NULL AS Nullable(Float64)) AS other, toUInt8(1) AS good, CAST(NULL AS Nullable(Decimal(38, 6))) AS amount,
    toUInt8(0) AS unpriced
FROM
(
    SELECT alert_id, min(notices.at) AS first_at
    FROM notices FINAL
    WHERE reason = 'escalated' AND notices.at <= {known_at:DateTime64(3, 'UTC')}
    GROUP BY alert_id
    HAVING first_at >= {since:DateTime64(3, 'UTC')} AND first_at < {until:DateTime64(3, 'UTC')}
) AS n
INNER JOIN (SELECT alert_id, labels['stage'] AS stage, opened_at FROM alerts FINAL) AS a ON a.alert_id = n.alert_id
