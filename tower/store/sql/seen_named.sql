-- The names of the objects in seen_orders. One row: a name and what it stands for, in one order.
SELECT order_no, pair.1 AS name, pair.2 AS target
FROM seen_orders
ARRAY JOIN arrayZip(`names.name`, `names.target`) AS pair
