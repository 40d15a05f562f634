-- One row: an object heard of before that now belongs to a further order.
SELECT object, order_no
FROM pairs
WHERE object IN (SELECT object FROM known) AND (object, order_no) NOT IN (SELECT object, order_no FROM known)
    AND object NOT IN (SELECT object FROM wide_objects)
