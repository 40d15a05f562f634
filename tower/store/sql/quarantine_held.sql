-- State, whole text and raw id of the quarantined message {id}. One row or none.
SELECT state, raw, raw_id FROM quarantine FINAL WHERE quarantine_id = {id:UInt64}
