-- Why files, or what in them, could not be used: (raw_id, reason, detail), at most 20 of each file. Parameter: raw_ids.
SELECT raw_id, reason, detail
FROM quarantine FINAL
WHERE raw_id IN ({raw_ids:Array(String)})
ORDER BY raw_id, detail
LIMIT 20 BY raw_id
