-- What was done in one action. Parameter: action_id. One row: one item. Order: order, stage, object.
SELECT
    action_id, item_id, kind, rule_action, order_id, object_type, object_id, stage, state, attempts, requested_by,
    requested_at, noted_at, sent_at, accepted_at, verify_by, next_at, finished_at, status_code, error, amount, detail
FROM action_items FINAL
WHERE action_id = {action_id:String}
ORDER BY order_id, stage, object_type, object_id
