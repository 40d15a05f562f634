-- The orders of seen_due, as far as names and authorities need them (columns). One row: one order.
SELECT order_no, names.name, names.target, own, $columns
FROM orders FINAL
WHERE order_no IN (SELECT order_no FROM seen_due)
