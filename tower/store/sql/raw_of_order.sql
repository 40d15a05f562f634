-- Ids of the kept messages that the facts of {order_id} came from and that still have a body. No order.
SELECT raw_id
FROM raw
WHERE body != '' AND raw_id IN (
    SELECT raw_id FROM case_facts
    WHERE raw_id != '' AND order_no IN (SELECT order_no FROM order_objects WHERE order_id = {order_id:String}))
