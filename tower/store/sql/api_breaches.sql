-- Breaches. where from tower/api/breaches.py. Parameter: limit. One row: one breach. Order: latest opened first.
SELECT
    breach_id, order_id, rule, kind, object_type, object_id, state, opened_at, detected_at, resolved_at, retracted_at,
    milestone, system, error, book, updated_at,
    leftPad(toString(toUnixTimestamp64Milli(opened_at)), 15, '0') AS page_key, concat(order_id, ' ', rule, ' ', kind, ' ', toString(object)) AS page_id
FROM breaches FINAL
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
