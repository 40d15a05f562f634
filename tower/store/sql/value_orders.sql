-- The orders behind a figure: the rows of one of the value_*.sql queries. units: the query, where: which of them.
-- Parameters: limit, after: how many to pass over. Order: the latest first.
SELECT order_id, stage, thing, at, measure, other, good, amount
FROM ($units)
WHERE $where
ORDER BY at DESC, order_id, thing
LIMIT {limit:UInt32} OFFSET {after:UInt32}
