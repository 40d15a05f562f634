-- The clocks that stopped late under one book or the other. A clock that stopped waits for no feed. No order.
INSERT INTO backtest_found
SELECT
    order_no, order_id, rule, 'late' AS kind, object, object_type, object_id,
    if(old_due < end_at, old_due, NULL) AS old_opened_at, if(old_due < end_at, end_at, NULL) AS old_resolved_at,
    if(new_due < end_at, new_due, NULL) AS new_opened_at, if(new_due < end_at, end_at, NULL) AS new_resolved_at
FROM both_dues
WHERE stopped AND NOT provisional AND order_no NOT IN (SELECT order_no FROM touched)
    AND (ifNull(old_due < end_at, 0) OR ifNull(new_due < end_at, 0))
