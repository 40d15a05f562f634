-- What is known of each target. One row: one target, all columns (columns). Order: target.
SELECT $columns
FROM target_states FINAL
ORDER BY target
