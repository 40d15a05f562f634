-- What was said about some actions since. Parameter: action_ids. One row: one step. Order: action, then as it was said.
SELECT action_id, step, actor, reason, wave, at
FROM batch_steps
WHERE action_id IN {action_ids:Array(String)}
ORDER BY action_id, seq
