-- The curves in force at a moment: all of the latest build until then. Parameter: at. One row: one curve.
SELECT built_at, rule, segment, cases, ended, ends_ms, at_ms, alive, watched
FROM curves FINAL
WHERE built_at = (SELECT max(built_at) FROM curves WHERE built_at <= {at:DateTime64(3, 'UTC')})
ORDER BY rule, segment
