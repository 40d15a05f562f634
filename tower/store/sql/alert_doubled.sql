-- Which of these alerts told nothing that an earlier alert had not told the same receiver. Parameter: ids. One row: one alert.
WITH told AS
(
    SELECT alert_id, breach_id FROM alert_breaches FINAL WHERE alert_id IN {ids:Array(String)} AND told > 0
),
others AS
(
    SELECT alert_id, breach_id FROM alert_breaches FINAL
    WHERE breach_id IN (SELECT breach_id FROM told) AND told > 0
),
heads AS
(
    SELECT alert_id, receiver, opened_at FROM alerts FINAL WHERE alert_id IN (SELECT alert_id FROM others)
)
SELECT t.alert_id
FROM told AS t
INNER JOIN heads AS mine ON mine.alert_id = t.alert_id
LEFT JOIN
(
    SELECT o.breach_id AS breach_id, o.alert_id AS alert_id, h.receiver AS receiver, h.opened_at AS opened_at, 1 AS found
    FROM others AS o INNER JOIN heads AS h ON h.alert_id = o.alert_id
) AS earlier ON earlier.breach_id = t.breach_id AND earlier.receiver = mine.receiver
    AND (earlier.opened_at, earlier.alert_id) < (mine.opened_at, mine.alert_id)
GROUP BY t.alert_id
HAVING uniqExact(t.breach_id) = uniqExactIf(t.breach_id, ifNull(earlier.found, 0))
