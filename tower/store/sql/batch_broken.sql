-- The targets whose breaker is open. One row: (target). No order.
SELECT target FROM target_states FINAL WHERE state = 'open'
