-- Open clocks by stage. Parameter: now. One row: one stage; counts are of clocks, `orders` and `value` of orders.
-- bucket_*: stuck clocks by age, with their orders and the value of those; the edges are those of tower/api/stages.py. No order.
WITH clocks_of AS
(
    SELECT
        order_no, state AS order_state, value_at_risk, rule, clock.1 AS state, clock.2 AS verdict,
        dateDiff('second', clock.3, {now:DateTime64(3, 'UTC')}) AS age_s,
        verdict IN ('failing', 'late', 'diverging') AS stuck,
        arrayFirstIndex(edge -> age_s < edge, [3600, 14400, 28800, 86400, 172800, 9223372036854775807]) AS bucket
    FROM
    (
        SELECT
            order_no, state, value_at_risk, clocks.rule AS rules,
            arrayZip(clocks.state, clocks.verdict, clocks.started_at) AS pairs
        FROM orders FINAL
        WHERE on_board AND closed_at IS NULL
    )
    ARRAY JOIN rules AS rule, pairs AS clock
    WHERE clock.1 IN ('running', 'paused')
),
per_order AS
(
    SELECT
        rule, order_no, any(ifNull(value_at_risk, 0)) AS order_value, max(stuck) AS any_stuck,
        sumForEach(arrayMap(b -> toUInt64(stuck AND bucket = b), range(1, 7))) AS in_bucket
    FROM clocks_of
    GROUP BY rule, order_no
),
totals AS
(
    SELECT
        rule, count() AS orders, sumIf(order_value, any_stuck) AS value,
        sumForEach(in_bucket) AS bucket_clocks,
        sumForEach(arrayMap(n -> toUInt64(n > 0), in_bucket)) AS bucket_orders,
        sumForEach(arrayMap(n -> order_value * toUInt8(n > 0), in_bucket)) AS bucket_values
    FROM per_order
    GROUP BY rule
)
SELECT
    c.rule AS rule, countIf(c.state = 'running') AS running, countIf(c.state = 'paused') AS paused,
    countIf(c.verdict = 'on_track') AS on_track, countIf(c.verdict = 'at_risk') AS at_risk,
    countIf(c.verdict = 'late') AS late, countIf(c.verdict = 'unknown') AS unknown,
    countIf(c.verdict = 'failing') AS failing, countIf(c.verdict = 'diverging') AS diverging,
    any(t.orders) AS orders, any(t.value) AS value, any(t.bucket_clocks) AS bucket_clocks,
    any(t.bucket_values) AS bucket_values, any(t.bucket_orders) AS bucket_orders,
    toInt64(quantileExact(0.5)(c.age_s)) AS p50_age_s, toInt64(quantileExact(0.9)(c.age_s)) AS p90_age_s
FROM clocks_of AS c
INNER JOIN totals AS t ON t.rule = c.rule
GROUP BY c.rule
