-- Objects of the batch that reach more than `limit` orders, or `candidates` for one that is a weak name in it.
-- Parameters: limit, candidates. One row: object, type, id, how many orders.
SELECT reach.object, any(objects.object_type), any(objects.object_id), uniqExact(reach.order_no) AS orders
FROM
(
    SELECT object, order_no FROM pairs
    UNION ALL
    SELECT object, order_no FROM known WHERE order_no != 0
) AS reach
INNER JOIN batch_objects AS objects ON objects.object = reach.object
WHERE reach.object NOT IN (SELECT object FROM wide_objects)
GROUP BY reach.object
HAVING orders > if(reach.object IN (SELECT child FROM batch_links WHERE relation = 'weak_alias'), {candidates:UInt64}, {limit:UInt64})
