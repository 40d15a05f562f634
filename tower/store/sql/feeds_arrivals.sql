-- When a connection was heard, to the second. Parameters: connection, since, known_at. One row: one second; in order.
SELECT DISTINCT toDateTime(received_at, 'UTC') AS at
FROM heard
WHERE connection = {connection:String} AND received_at >= {since:DateTime64(3, 'UTC')}
    AND received_at <= {known_at:DateTime64(3, 'UTC')}
ORDER BY at
