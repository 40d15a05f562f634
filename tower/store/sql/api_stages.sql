-- Open clocks by stage. Parameter: now. One row: one stage; counts are of clocks, `orders` and `value` of orders.
-- buckets: stuck clocks by age, each (clocks, value, orders); the edges are those of tower/api/stages.py. No order.
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
        rule, order_no, any(value_at_risk) AS value_at_risk, max(stuck) AS stuck,
        arrayMap(b -> countIf(stuck AND bucket = b), range(1, 7)) AS in_bucket
    FROM clocks_of
    GROUP BY rule, order_no
),
totals AS
(
    SELECT
        rule, count() AS orders, sumIf(value_at_risk, stuck) AS value,
        arrayMap(b -> (
            sum(in_bucket[b]), sumIf(value_at_risk, in_bucket[b] > 0), countIf(in_bucket[b] > 0)
        ), range(1, 7)) AS buckets
    FROM per_order
    GROUP BY rule
)
SELECT
    c.rule AS rule, countIf(c.state = 'running') AS running, countIf(c.state = 'paused') AS paused,
    countIf(c.verdict = 'on_track') AS on_track, countIf(c.verdict = 'at_risk') AS at_risk,
    countIf(c.verdict = 'late') AS late, countIf(c.verdict = 'unknown') AS unknown,
    countIf(c.verdict = 'failing') AS failing, countIf(c.verdict = 'diverging') AS diverging,
    any(t.orders) AS orders, any(t.value) AS value, any(t.buckets) AS buckets,
    toInt64(quantileExact(0.5)(c.age_s)) AS p50_age_s, toInt64(quantileExact(0.9)(c.age_s)) AS p90_age_s
FROM clocks_of AS c
INNER JOIN totals AS t ON t.rule = c.rule
GROUP BY c.rule
