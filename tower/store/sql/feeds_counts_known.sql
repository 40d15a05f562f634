-- The same from the events received by a moment. Parameters: connections, since, until, known_at.
-- Nothing is received more than minutes before it happens, so that older rows need not be read.
SELECT connection, toStartOfFiveMinutes(toDateTime(occurred_at, 'UTC')) AS bucket, uniqExact(ev) AS events
FROM events
WHERE stored_at >= {since:DateTime('UTC')} - INTERVAL 1 HOUR AND received_at <= {known_at:DateTime64(3, 'UTC')}
    AND connection IN {connections:Array(String)} AND quarantine = '' AND milestone != ''
    AND occurred_at >= {since:DateTime('UTC')} AND occurred_at < {until:DateTime('UTC')}
GROUP BY connection, bucket
