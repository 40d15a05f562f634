-- The next slice of the touched orders, for `scope`. Parameters: after, size. One row: one order; by number.
SELECT order_no, any(object) AS object, any(order_id) AS order_id
FROM order_objects
WHERE order_no IN
(
    SELECT DISTINCT order_no
    FROM touched
    WHERE order_no > {after:UInt64}
    ORDER BY order_no
    LIMIT {size:UInt64}
)
GROUP BY order_no
