-- Verified acts that the ledger does not know, and acts it knows as moved that are verified no longer. Parameter: now.
-- One row: one item; moved is 1 for the former, -1 for the latter. Order: finished_at, item_id.
SELECT
    i.item_id AS item_id, i.order_id AS order_id, toString(i.stage) AS stage, assumeNotNull(i.noted_at) AS since,
    assumeNotNull(i.finished_at) AS until, o.reporting_amount AS amount, if(i.state = 'verified', 1, -1) AS moved
FROM (SELECT * FROM action_items FINAL WHERE noted_at IS NOT NULL AND finished_at IS NOT NULL) AS i
LEFT JOIN (SELECT order_no, reporting_amount FROM orders FINAL) AS o ON o.order_no = i.order_no
LEFT JOIN
(
    SELECT item_id, sum(value) AS net FROM value_ledger WHERE kind = 'realized' GROUP BY item_id
) AS l ON l.item_id = i.item_id
WHERE (i.state = 'verified' AND ifNull(l.net, 0) < 1) OR (i.state != 'verified' AND ifNull(l.net, 0) > 0)
ORDER BY until, item_id
LIMIT 10000
