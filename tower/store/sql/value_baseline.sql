-- The baseline that counts. Parameter: known_at. One row at most. Order: the latest locked.
SELECT baseline_id, locked_at, locked_by, reason, since, until, currency, book, figures
FROM value_baselines
WHERE locked_at <= {known_at:DateTime64(3, 'UTC')}
ORDER BY locked_at DESC, baseline_id DESC
LIMIT 1
