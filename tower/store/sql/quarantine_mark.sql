-- Give the quarantined message {id} the state {state} and a {note}: a newer version of its row.
INSERT INTO quarantine
SELECT * REPLACE ({state:String} AS state, {note:String} AS note, version + 1 AS version) FROM quarantine FINAL WHERE quarantine_id = {id:UInt64}
