-- When the curves in force at a moment were built; null if there are none. Parameter: at. One row.
SELECT maxOrNull(built_at)
FROM curves
WHERE built_at <= {at:DateTime64(3, 'UTC')}
