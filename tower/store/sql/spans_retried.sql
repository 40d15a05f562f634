-- Work on an object that failed once and of which a new success was stored. Parameter: after. One row: one piece of
-- work on one object; no order.
SELECT DISTINCT object_type, object_id, service, name
FROM failed_hops
WHERE (object_id, object_type, service, name) IN
(
    SELECT object_id, object_type, service, name
    FROM order_spans
    ARRAY JOIN object_types AS object_type, object_ids AS object_id
    WHERE stored_at > {after:DateTime64(3, 'UTC')} AND NOT failed
)
