-- Messages that could not be used, by reason and connection. where from tower/api/quarantine.py. One row: one group with
-- its latest message as a sample; native: those of the native door; readable: those whose body is still there.
-- Order: most messages first.
SELECT
    reason, connection, count() AS count, min(received_at) AS first_at, max(received_at) AS last_at,
    countIf(raw_id != '') AS native, countIf(raw_id != '' OR raw != '') AS readable,
    arraySort(groupUniqArrayIf(20)(CAST(mapping AS String), mapping != '')) AS mappings,
    arraySort(groupUniqArrayIf(20)(type, type != '')) AS types,
    argMax(toString(quarantine_id), (received_at, quarantine_id)) AS sample_id,
    argMax(detail, (received_at, quarantine_id)) AS sample_detail
FROM quarantine FINAL
WHERE $where
GROUP BY reason, connection
ORDER BY count DESC, reason, connection
