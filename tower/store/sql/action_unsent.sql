-- Items of an action that were never sent. Parameter: action_id. One row: one item, all columns (columns). No order.
SELECT $columns
FROM action_items FINAL
WHERE action_id = {action_id:String} AND state IN ('requested', 'approved')
