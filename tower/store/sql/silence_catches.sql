-- Open breaches of the alerts that are not closed, as silences match them. One row: one breach; no order.
SELECT breach_id, any(facts) AS facts, groupUniqArray(alert_id) AS alert_ids
FROM
(
    SELECT breach_id, facts, alert_id FROM alert_breaches FINAL
    WHERE state = 'open' AND alert_id IN (SELECT alert_id FROM alerts FINAL WHERE closed_at IS NULL AND NOT startsWith(receiver, 'subscription/'))
)
GROUP BY breach_id
