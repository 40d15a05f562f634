-- Which of these alerts had something done for one of their orders while they were open. Parameter: ids. One row: one alert.
WITH told AS
(
    SELECT alert_id, order_no FROM alert_breaches FINAL
    WHERE alert_id IN {ids:Array(String)} AND told > 0 AND order_no != 0
)
SELECT DISTINCT t.alert_id
FROM told AS t
INNER JOIN (SELECT alert_id, opened_at FROM alerts FINAL WHERE alert_id IN {ids:Array(String)}) AS a ON a.alert_id = t.alert_id
INNER JOIN
(
    SELECT order_no, sent_at FROM action_items FINAL
    WHERE order_no IN (SELECT order_no FROM told) AND sent_at IS NOT NULL
) AS i ON i.order_no = t.order_no
WHERE i.sent_at >= a.opened_at
