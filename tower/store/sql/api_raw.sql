-- Native messages as they were kept, without their bodies. where from tower/api/raw.py. Parameter: limit. Order: latest
-- first.
SELECT
    raw_id, connection, received_at, method, size, sha256, event_id, topic, scheme, outcome, mapping, events, quarantined,
    body != '' AS has_body, leftPad(toString(toUnixTimestamp64Milli(received_at)), 15, '0') AS page_key, raw_id AS page_id
FROM raw
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
