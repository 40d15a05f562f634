-- How many verdicts open on which day (UTC) under each book. Parameter: since. One row: one rule, kind and day; by day.
SELECT rule, kind, day, sum(under_old) AS under_old, sum(under_new) AS under_new
FROM
(
    SELECT rule, kind, toDate(assumeNotNull(old_opened_at)) AS day, 1 AS under_old, 0 AS under_new
    FROM backtest_found
    WHERE old_opened_at >= {since:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT rule, kind, toDate(assumeNotNull(new_opened_at)), 0, 1
    FROM backtest_found
    WHERE new_opened_at >= {since:DateTime64(3, 'UTC')}
)
GROUP BY rule, kind, day
ORDER BY day, rule, kind
