-- What was frozen of some actions. Parameter: action_ids. One row: one action. No order.
SELECT action_id, safety, least_verified, waves, filter, orders FROM batches FINAL WHERE action_id IN {action_ids:Array(String)}
