-- What connections brought in the same hours of this week and the weeks before. Parameters: connections, since, until,
-- week_s (how many seconds at the end of each week, counted back from until). One row: a quarter of an hour; no order.
SELECT connection, toStartOfFifteenMinutes(bucket) AS quarter, sum(events) AS events
FROM
(
    SELECT connection, bucket, max(events) AS events
    FROM feed_counts
    WHERE connection IN {connections:Array(String)}
        AND bucket >= {since:DateTime('UTC')} AND bucket < {until:DateTime('UTC')}
        AND (toUnixTimestamp({until:DateTime('UTC')}) - toUnixTimestamp(bucket)) % 604800 <= {week_s:UInt32}
    GROUP BY connection, bucket
)
GROUP BY connection, quarter
