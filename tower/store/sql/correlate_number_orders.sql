-- Orders of the batch seen for the first time with the next dense numbers; empty when repeated. One row: one order.
SELECT
    (SELECT max(order_no) FROM order_objects) + 1 + rowNumberInAllBlocks() AS order_no, object, object_id AS order_id
FROM
(
    SELECT object, object_id
    FROM batch_objects
    WHERE object_type = 'order'
        AND object NOT IN (SELECT object FROM order_numbers WHERE object IN (SELECT object FROM batch_objects))
    ORDER BY object_id
)
