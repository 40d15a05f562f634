-- How many orders the filters select and what they put at risk. orders and where as in api_orders. One row.
SELECT count() AS total, sum(value_at_risk) AS value_total
FROM $orders
WHERE $where
