-- When each target was called lately, for its budgets. Parameter: since. One row: one call. Order: at.
SELECT target, at
FROM target_calls
WHERE at > {since:DateTime64(3, 'UTC')}
ORDER BY at
