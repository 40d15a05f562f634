-- Open breaches of the alerts that are not closed, as silences match them. One row: one breach; no order.
SELECT breach_id, any(order_no) AS order_no, any(state) AS state, any(opened_at) AS opened_at, any(detected_at) AS detected_at,
    any(over_at) AS over_at, any(facts) AS facts, groupUniqArray(alert_id) AS alert_ids
FROM alert_breaches FINAL
WHERE state = 'open' AND alert_id IN (SELECT alert_id FROM alerts FINAL WHERE closed_at IS NULL)
GROUP BY breach_id
