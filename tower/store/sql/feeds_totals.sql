-- How many events each connection brought in all, and since when. Parameters: connections. One row: one connection.
SELECT connection, min(bucket) AS first_at, sum(events) AS events
FROM (SELECT connection, bucket, max(events) AS events FROM feed_counts WHERE connection IN {connections:Array(String)} GROUP BY connection, bucket)
GROUP BY connection
