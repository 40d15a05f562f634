-- The names of one order's objects. Parameter: order_no. orders: the table. One row: a name and what it stands for.
SELECT alias.1 AS name, alias.2 AS target, alias.3 AS target_id
FROM $orders
ARRAY JOIN arrayZip(names.name, names.target, names.target_id) AS alias
WHERE order_no = {order_no:UInt64}
