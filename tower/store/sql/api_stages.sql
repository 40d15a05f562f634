-- Open clocks by stage. Parameter: now; orders: the table. One row: one stage; counts are of clocks, `orders` and `value` of orders.
-- bucket_*: stuck clocks by age, with their orders and the value of those; the edges are those of tower/api/stages.py. No order.
-- An order counts with the first of its clocks in question: `nth`, `nth_stuck` and `nth_bucket` number them within the order.
SELECT
    rule, countIf(state = 'running') AS running, countIf(state = 'paused') AS paused,
    countIf(verdict = 'on_track') AS on_track, countIf(verdict = 'at_risk') AS at_risk,
    countIf(verdict = 'late') AS late, countIf(verdict = 'unknown') AS unknown,
    countIf(verdict = 'failing') AS failing, countIf(verdict = 'diverging') AS diverging,
    countIf(nth = 1) AS orders, sumIf(order_value, stuck AND nth_stuck = 1) AS value,
    [
        countIf(stuck AND bucket = 1), countIf(stuck AND bucket = 2),
        countIf(stuck AND bucket = 3), countIf(stuck AND bucket = 4),
        countIf(stuck AND bucket = 5), countIf(stuck AND bucket = 6)
    ] AS bucket_clocks,
    [
        sumIf(order_value, stuck AND bucket = 1 AND nth_bucket = 1), sumIf(order_value, stuck AND bucket = 2 AND nth_bucket = 1),
        sumIf(order_value, stuck AND bucket = 3 AND nth_bucket = 1), sumIf(order_value, stuck AND bucket = 4 AND nth_bucket = 1),
        sumIf(order_value, stuck AND bucket = 5 AND nth_bucket = 1), sumIf(order_value, stuck AND bucket = 6 AND nth_bucket = 1)
    ] AS bucket_values,
    [
        countIf(stuck AND bucket = 1 AND nth_bucket = 1), countIf(stuck AND bucket = 2 AND nth_bucket = 1),
        countIf(stuck AND bucket = 3 AND nth_bucket = 1), countIf(stuck AND bucket = 4 AND nth_bucket = 1),
        countIf(stuck AND bucket = 5 AND nth_bucket = 1), countIf(stuck AND bucket = 6 AND nth_bucket = 1)
    ] AS bucket_orders,
    toInt64(quantileExact(0.5)(age_s)) AS p50_age_s, toInt64(quantileExact(0.9)(age_s)) AS p90_age_s
FROM
(
    SELECT
        ifNull(value_at_risk, 0) AS order_value,
        arrayFilter(c -> c.2 IN ('running', 'paused'), arrayZip(clocks.rule, clocks.state, clocks.verdict, clocks.started_at)) AS open,
        tupleElement(open, 1) AS rules, tupleElement(open, 2) AS states, tupleElement(open, 3) AS verdicts,
        arrayMap(v -> v IN ('failing', 'late', 'diverging'), verdicts) AS stucks,
        arrayMap(at -> dateDiff('second', at, {now:DateTime64(3, 'UTC')}), tupleElement(open, 4)) AS ages,
        arrayMap(age -> multiIf(age < 3600, 1, age < 14400, 2, age < 28800, 3, age < 86400, 4, age < 172800, 5, 6), ages) AS buckets
    FROM $orders
    WHERE on_board AND closed_at IS NULL
)
ARRAY JOIN
    rules AS rule, states AS state, verdicts AS verdict, stucks AS stuck, ages AS age_s, buckets AS bucket,
    arrayEnumerateUniq(rules) AS nth, arrayEnumerateUniq(rules, stucks) AS nth_stuck,
    arrayEnumerateUniq(rules, stucks, buckets) AS nth_bucket
GROUP BY rule
