-- What messages have shown that they did not while their shape was learned. where from tower/api/drift.py. Parameter:
-- limit. Order: latest first seen first.
SELECT
    connection, topic, multiIf(kind = 'code', 'unknown_code', was != '', 'type_change', 'new_field') AS change, path,
    value, was, first_at, last_at, messages, raw_id,
    leftPad(toString(toUnixTimestamp64Milli(first_at)), 15, '0') AS page_key,
    concat(connection, ' ', topic, ' ', kind, ' ', path, ' ', value) AS page_id
FROM shapes FINAL
WHERE drifted = 1 AND ($where)
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
