-- Alerts that are not closed, as they were kept. One row: one alert; no order.
SELECT * EXCEPT (updated_at)
FROM alerts FINAL
WHERE closed_at IS NULL
