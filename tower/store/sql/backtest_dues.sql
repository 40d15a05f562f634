-- Stored clocks with the deadline that each book gives them. One row: one clock; no order.
SELECT *
FROM stored_clocks
INNER JOIN (SELECT order_no, rule, object, due_at AS old_due FROM old_dues) AS earlier USING (order_no, rule, object)
INNER JOIN (SELECT order_no, rule, object, due_at AS new_due FROM new_dues) AS later USING (order_no, rule, object)
