-- How many events {connections} have sent since {since} by the events door. One row: connection, events.
SELECT connection, count() AS events
FROM events
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND raw_id = '' AND connection IN {connections:Array(String)}
GROUP BY connection
