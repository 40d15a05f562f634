-- State, text and raw id of the quarantined messages {ids}, and whether another part of the same native message is still
-- open. One row: one message; no order.
SELECT quarantine_id, state, raw, raw_id, raw_id != '' AND raw_id IN (
    SELECT raw_id FROM quarantine FINAL WHERE state = 'open' AND raw_id IN (
        SELECT raw_id FROM quarantine FINAL WHERE quarantine_id IN {ids:Array(UInt64)})) AS still_held
FROM quarantine FINAL
WHERE quarantine_id IN {ids:Array(UInt64)}
