-- Show the losing bodies in quarantine, once each. Parameters: ev, body (of equal length).
INSERT INTO quarantine (quarantine_id, received_at, stored_at, connection, source, event_id, type, reason, detail, raw, raw_id, mapping)
SELECT
    sipHash64(ev, body, 'conflict'), received_at, stored_at, connection, source, event_id, type, 'conflict',
    'another body was stored under the same source and id; the one with the smaller hash counts', raw,
    raw_id, mapping
FROM events
WHERE quarantine = '' AND (ev, body) IN (SELECT arrayJoin(arrayZip({ev:Array(UInt64)}, {body:Array(UInt64)})))
LIMIT 1 BY ev, body
