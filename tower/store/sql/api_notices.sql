-- Notices. where from tower/api/alerts.py. Parameter: limit. One row: one notice on one way. Order: latest first.
SELECT
    notice_id, channel, alert_id, number, receiver, reason, priority, at, state, attempts, next_at, sent_at, detail,
    JSONExtractString(body, 'data', 'title') AS title,
    leftPad(toString(toUnixTimestamp64Milli(at)), 15, '0') AS page_key, concat(notice_id, ' ', channel) AS page_id
FROM notices FINAL
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
