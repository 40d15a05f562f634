-- How much there is of the orders in scope. One row: what, and how many; no order.
SELECT 'scope' AS what, count() AS many FROM scope
UNION ALL
SELECT 'judged', count() FROM judged_orders
UNION ALL
SELECT 'findings', count() FROM judged_findings
UNION ALL
SELECT 'breaches', count() FROM breaches WHERE order_no IN (SELECT order_no FROM scope)
