-- The audit. where from tower/api/audit.py. Parameter: limit. One row: one entry. Order: latest first.
SELECT
    seq, at, actor, act, subject, why, detail, previous, hash,
    leftPad(toString(seq), 20, '0') AS page_key, hash AS page_id
FROM audit
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
