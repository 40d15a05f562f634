-- Verdicts that differ, those worth most first. Parameters: since, limit. One row: one finding.
SELECT
    f.order_id AS order_id, f.rule AS rule, f.kind AS kind, f.object_type AS object_type, f.object_id AS object_id,
    multiIf(old_opened_at IS NULL, 'gained', new_opened_at IS NULL, 'lost', 'differently') AS change,
    old_opened_at, old_resolved_at, new_opened_at, new_resolved_at, o.reporting_amount AS value
FROM backtest_found AS f
LEFT JOIN (SELECT order_no, reporting_amount FROM orders FINAL WHERE order_no IN (SELECT order_no FROM backtest_found)) AS o
    ON o.order_no = f.order_no
WHERE (old_opened_at >= {since:DateTime64(3, 'UTC')} OR new_opened_at >= {since:DateTime64(3, 'UTC')})
    AND (ifNull(old_opened_at != new_opened_at, 1)
        OR ifNull(old_resolved_at != new_resolved_at, isNull(old_resolved_at) != isNull(new_resolved_at)))
ORDER BY change = 'differently', value DESC NULLS LAST, order_id, rule, kind, object_id
LIMIT {limit:UInt32}
