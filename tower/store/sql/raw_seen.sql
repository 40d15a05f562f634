-- What the doors kept since {since}: (connection, event_id, sha256, received_at), by arrival.
SELECT connection, event_id, sha256, received_at
FROM raw
WHERE raw_id >= {first:String} AND received_at >= {since:DateTime64(3, 'UTC')}
ORDER BY received_at
