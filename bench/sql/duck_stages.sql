-- The totals of api_stages.sql in DuckDB. Parameter: now.
WITH clocks_of AS
(
    SELECT
        order_no, value_at_risk, c[1] AS rule, c[2] AS state, c[3] AS verdict,
        date_diff('second', c[4], $now::TIMESTAMP) AS age_s,
        c[3] IN ('failing', 'late', 'diverging') AS stuck,
        CASE WHEN age_s < 3600 THEN 1 WHEN age_s < 14400 THEN 2 WHEN age_s < 28800 THEN 3 WHEN age_s < 86400 THEN 4
            WHEN age_s < 172800 THEN 5 ELSE 6 END AS bucket
    FROM
    (
        SELECT order_no, value_at_risk, unnest(list_zip("clocks.rule", "clocks.state", "clocks.verdict", "clocks.started_at")) AS c
        FROM orders
        WHERE on_board = 1 AND closed_at IS NULL
    )
    WHERE c[2] IN ('running', 'paused')
),
per_order AS
(
    SELECT rule, order_no, any_value(coalesce(value_at_risk, 0)) AS order_value, bool_or(stuck) AS any_stuck
    FROM clocks_of
    GROUP BY rule, order_no
),
buckets AS
(
    SELECT
        rule, list(clocks ORDER BY bucket) AS bucket_clocks, list(orders ORDER BY bucket) AS bucket_orders,
        list(order_value ORDER BY bucket) AS bucket_values
    FROM
    (
        SELECT rule, bucket, sum(clocks) AS clocks, count(*) AS orders, sum(order_value) AS order_value
        FROM
        (
            SELECT rule, order_no, bucket, count(*) AS clocks, any_value(coalesce(value_at_risk, 0)) AS order_value
            FROM clocks_of
            WHERE stuck
            GROUP BY rule, order_no, bucket
        )
        GROUP BY rule, bucket
    )
    GROUP BY rule
),
totals AS
(
    SELECT rule, count(*) AS orders, sum(order_value) FILTER (any_stuck) AS order_value
    FROM per_order
    GROUP BY rule
),
ages AS
(
    SELECT
        rule, count(*) FILTER (state = 'running') AS running, count(*) FILTER (state = 'paused') AS paused,
        count(*) FILTER (verdict = 'on_track') AS on_track, count(*) FILTER (verdict = 'at_risk') AS at_risk,
        count(*) FILTER (verdict = 'late') AS late, count(*) FILTER (verdict = 'unknown') AS unknown,
        count(*) FILTER (verdict = 'failing') AS failing, count(*) FILTER (verdict = 'diverging') AS diverging,
        list_sort(list(age_s)) AS sorted
    FROM clocks_of
    GROUP BY rule
)
SELECT
    a.rule, a.running, a.late, a.at_risk, t.orders, t.order_value, sorted[1 + floor(len(sorted) * 0.5)::BIGINT] AS p50_age_s,
    sorted[1 + floor(len(sorted) * 0.9)::BIGINT] AS p90_age_s, a.paused, a.on_track, a.unknown, a.failing, a.diverging,
    b.bucket_clocks, b.bucket_orders, b.bucket_values
FROM ages AS a
INNER JOIN totals AS t USING (rule)
LEFT JOIN buckets AS b USING (rule)
ORDER BY a.rule
