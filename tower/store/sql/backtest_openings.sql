-- Verdicts that open on a day (UTC) under each book, by what routes ask of them and of their order. Parameter: since.
-- columns: those of orders that are asked for. One row: one day, rule, kind and combination; by day.
SELECT rule, kind, object_type, day$columns, sum(under_old) AS under_old, sum(under_new) AS under_new
FROM
(
    SELECT order_no, rule, kind, object_type, toDate(assumeNotNull(old_opened_at)) AS day, 1 AS under_old, 0 AS under_new
    FROM backtest_found
    WHERE old_opened_at >= {since:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT order_no, rule, kind, object_type, toDate(assumeNotNull(new_opened_at)), 0, 1
    FROM backtest_found
    WHERE new_opened_at >= {since:DateTime64(3, 'UTC')}
) AS f
LEFT JOIN (SELECT *, reporting_amount AS worth FROM orders FINAL WHERE order_no IN (SELECT order_no FROM backtest_found)) AS o
    ON o.order_no = f.order_no
GROUP BY rule, kind, object_type, day$columns
ORDER BY day, rule, kind
