-- What was done about one order. Parameter: order_no. One row: one item. Order: latest asked first.
SELECT
    action_id, item_id, kind, rule_action, order_id, object_type, object_id, stage, state, attempts, requested_by,
    requested_at, noted_at, sent_at, accepted_at, verify_by, next_at, finished_at, status_code, error, amount, detail
FROM action_items FINAL
WHERE order_no = {order_no:UInt64}
ORDER BY requested_at DESC, object_type, object_id
