-- How many messages each connection has sent since {since}. One row: connection, messages.
SELECT connection, count() AS messages
FROM raw
WHERE raw_id >= {first:String} AND received_at >= {since:DateTime64(3, 'UTC')}
GROUP BY connection
