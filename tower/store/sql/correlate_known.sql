-- One row: an object of the batch and a case it is already listed under; case 0 means without an order.
SELECT DISTINCT object, order_no
FROM object_cases
WHERE object IN (SELECT object FROM batch_objects)
