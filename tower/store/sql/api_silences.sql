-- Silences. where from tower/api/alerts.py. Parameters: now, limit. One row: one silence. Order: latest end first.
SELECT
    silence_id, matchers, starts_at, ends_at, author, comment, created_at,
    multiIf(ends_at <= {now:DateTime64(3, 'UTC')}, 'ended', starts_at > {now:DateTime64(3, 'UTC')}, 'ahead', 'active') AS state,
    leftPad(toString(toUnixTimestamp64Milli(ends_at)), 15, '0') AS page_key, silence_id AS page_id
FROM silences FINAL
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
