-- The same as known at a moment. Parameters: known_at. One row: one connection; no order.
SELECT
    connection, toDateTime64('2200-01-01 00:00:00', 3, 'UTC') AS promised_at, max(watermark) AS watermark,
    max(last_at) AS last_at
FROM heard
WHERE received_at <= {known_at:DateTime64(3, 'UTC')}
GROUP BY connection
