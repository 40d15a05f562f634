-- Orders whose clocks do not say by themselves whether they were late: they run, wait for a feed, or are out of order.
-- Parameters: now, rules. One row: one order; no order.
INSERT INTO touched
WITH toDateTime64('2200-01-01 00:00:00', 3, 'UTC') AS never
SELECT DISTINCT order_no
FROM both_dues
WHERE stale
    OR (NOT stopped AND NOT provisional AND least(ifNull(old_due, never), ifNull(new_due, never)) < ifNull(end_at, {now:DateTime64(3, 'UTC')}))
    OR (order_no, rule, object) IN
    (
        SELECT order_no, rule, object
        FROM breaches FINAL
        WHERE kind = 'out_of_order' AND state != 'retracted' AND rule IN {rules:Array(String)}
    )
