-- What became of files: raw_id, outcome, events, quarantined, unchanged. One row is one file, by raw_id.
-- Parameters: connection, raw_ids.
SELECT raw_id, outcome, events, quarantined, unchanged
FROM raw
WHERE raw_id IN ({raw_ids:Array(String)}) AND connection = {connection:String} AND method = 'FILE'
ORDER BY raw_id
