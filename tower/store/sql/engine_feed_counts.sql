-- Count again what the five minutes brought that new events tell of. Parameters: after, until (of stored_at).
-- The look goes back a little: the events of a view's table may show a moment after those of `events`.
INSERT INTO feed_counts
SELECT connection, bucket, uniqExact(ev)
FROM heard_events
WHERE (connection, bucket) IN
(
    SELECT DISTINCT connection, toStartOfFiveMinutes(toDateTime(occurred_at, 'UTC'))
    FROM events
    WHERE stored_at > {after:DateTime64(3, 'UTC')} - INTERVAL 3 SECOND AND stored_at <= {until:DateTime64(3, 'UTC')}
        AND connection != '' AND quarantine = '' AND milestone != ''
)
GROUP BY connection, bucket
