-- Breaches of the alerts that are not closed. One row: one breach of one alert; no order.
SELECT alert_id, breach_id, order_no, state, opened_at, detected_at, over_at, facts, told, told_over, quiet, held_by
FROM alert_breaches FINAL
WHERE alert_id IN (SELECT alert_id FROM alerts FINAL WHERE closed_at IS NULL)
