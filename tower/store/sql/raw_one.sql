-- The kept message {raw_id} in the columns of collector.raw.message.RawMessage, the latest if it was kept twice.
SELECT raw_id, connection, received_at, method, headers, query, size, sha256, event_id, topic, scheme, body
FROM raw
WHERE raw_id = {raw_id:String}
ORDER BY received_at DESC
LIMIT 1
