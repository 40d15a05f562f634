-- The quarantined message {id}, whole. One row or none.
SELECT
    toString(quarantine_id) AS id, received_at, connection, source, event_id, type, reason, detail, state, raw_id,
    mapping, note, raw
FROM quarantine FINAL
WHERE quarantine_id = {id:UInt64}
