-- State and whole body of the quarantined message {id}. One row or none.
SELECT state, raw FROM quarantine FINAL WHERE quarantine_id = {id:UInt64}
