-- What changed, by rule and kind. Parameter: since. One row: one rule and kind; values are of orders, each taken once.
WITH
    found AS
    (
        SELECT f.*, o.reporting_amount AS worth, old_opened_at IS NOT NULL AS was, new_opened_at IS NOT NULL AS is,
            was AND is AND (old_opened_at != new_opened_at
                OR ifNull(old_resolved_at != new_resolved_at, isNull(old_resolved_at) != isNull(new_resolved_at))) AS moved,
            toUnixTimestamp64Milli(assumeNotNull(new_opened_at)) - toUnixTimestamp64Milli(assumeNotNull(old_opened_at)) AS lead_ms
        FROM backtest_found AS f
        LEFT JOIN (SELECT order_no, reporting_amount FROM orders FINAL WHERE order_no IN (SELECT order_no FROM backtest_found)) AS o
            ON o.order_no = f.order_no
        WHERE old_opened_at >= {since:DateTime64(3, 'UTC')} OR new_opened_at >= {since:DateTime64(3, 'UTC')}
    ),
    worth AS
    (
        SELECT rule, kind, sumIf(value, gained) AS gained_value, sumIf(value, lost) AS lost_value
        FROM
        (
            SELECT rule, kind, order_no, any(worth) AS value, max(is AND NOT was) AS gained, max(was AND NOT is) AS lost
            FROM found
            GROUP BY rule, kind, order_no
        )
        GROUP BY rule, kind
    )
SELECT
    found.rule AS rule, found.kind AS kind, countIf(is AND NOT was) AS gained, countIf(was AND NOT is) AS lost,
    countIf(moved) AS differently, countIf(was AND is AND NOT moved) AS same,
    uniqExactIf(order_no, is AND NOT was) AS gained_orders, uniqExactIf(order_no, was AND NOT is) AS lost_orders,
    any(worth.gained_value) AS gained_value, any(worth.lost_value) AS lost_value,
    countIf(moved AND lead_ms < 0) AS earlier, countIf(moved AND lead_ms > 0) AS later,
    if(countIf(was AND is) = 0, NULL, intDiv(quantileExactIf(0.5)(lead_ms, was AND is), 1000)) AS lead_p50_s
FROM found
INNER JOIN worth ON worth.rule = found.rule AND worth.kind = found.kind
GROUP BY found.rule, found.kind
ORDER BY gained + lost + differently DESC, rule, kind
