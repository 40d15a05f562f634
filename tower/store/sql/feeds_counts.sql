-- How many events each five minutes brought. Parameters: connections, since, until.
-- One row: one connection in five minutes; no order.
SELECT connection, bucket, max(events) AS events
FROM feed_counts
WHERE connection IN {connections:Array(String)}
    AND bucket >= {since:DateTime('UTC')} AND bucket < {until:DateTime('UTC')}
GROUP BY connection, bucket
