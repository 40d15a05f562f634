-- One row: an object of the batch and an order it belongs to, by what was known and by the links of the batch.
WITH RECURSIVE reach AS
(
    SELECT object, order_no, toUInt64(0) AS previous, toUInt8(0) AS depth
    FROM
    (
        SELECT object, order_no FROM known WHERE order_no != 0
        UNION ALL
        SELECT object, order_no FROM order_numbers WHERE object IN (SELECT object FROM batch_objects)
    )
    UNION ALL
    SELECT DISTINCT links.child, reach.order_no, reach.object, toUInt8(reach.depth + 1)
    FROM reach
    INNER JOIN batch_links AS links ON links.parent = reach.object
    WHERE reach.depth < 24 AND links.child != reach.previous
)
SELECT DISTINCT object, order_no FROM reach
