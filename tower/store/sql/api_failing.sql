-- Since when milestones of some orders fail. Parameter: order_nos; $breaches: the table. One row: an order and a milestone.
SELECT order_no, milestone, max(opened_at)
FROM $breaches
WHERE order_no IN {order_nos:Array(UInt64)} AND kind = 'failing' AND state = 'open'
GROUP BY order_no, milestone
