-- When the curves in force at a moment were built, null if there are none, and what tells them from those of another store:
-- the cases of all. Parameter: at. One row.
SELECT maxOrNull(built_at), sum(cases)
FROM curves
WHERE built_at <= {at:DateTime64(3, 'UTC')}
