-- What the batch asks for beside its facts. One row: what, and how many; no order. places: at how many orders its objects
-- are, an upper bound for each of them. unlisted: objects that are not listed under one of their orders, or anywhere, yet.
SELECT 'wide_objects' AS what, count() AS many FROM wide_objects
UNION ALL
SELECT 'places', count() FROM (SELECT order_no FROM known UNION ALL SELECT order_no FROM pairs)
UNION ALL
SELECT 'unlisted', count() FROM pairs WHERE (object, order_no) NOT IN (SELECT object, order_no FROM known)
UNION ALL
SELECT 'unlisted_alone', count()
FROM batch_objects
WHERE object NOT IN (SELECT object FROM pairs) AND (object, toUInt64(0)) NOT IN (SELECT object, order_no FROM known)
