-- Messages that could not be used. where from tower/api/quarantine.py. Parameter: limit. Order: latest first.
SELECT
    toString(quarantine_id) AS id, received_at, connection, source, event_id, type, reason, detail, state,
    raw_id, mapping, note,
    substringUTF8(raw, 1, 4000) AS raw,
    leftPad(toString(toUnixTimestamp64Milli(received_at)), 15, '0') AS page_key, toString(quarantine_id) AS page_id
FROM quarantine FINAL
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
