-- How far each connection has been heard by now. One row: one connection; no order.
SELECT connection, min(promised_at) AS promised_at, max(watermark) AS watermark, max(last_at) AS last_at
FROM heard_latest
GROUP BY connection
