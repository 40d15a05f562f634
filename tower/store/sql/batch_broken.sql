-- The targets whose breaker is open, and what they said last. One row: (target, said). No order.
SELECT target, said FROM target_states FINAL WHERE state = 'open'
