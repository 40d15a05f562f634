-- The orders a filter selects at this moment. where from tower/api/order_query.py. Parameter: limit. Order: order_id.
SELECT order_id, version
FROM orders FINAL
WHERE $where
ORDER BY order_id
LIMIT {limit:UInt32}
