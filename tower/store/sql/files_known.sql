-- The first file with each of some contents that was not refused whole: (sha256, raw_id).
-- Parameters: connection, digests.
SELECT sha256, min(raw_id) AS first
FROM raw
WHERE method = 'FILE' AND connection = {connection:String} AND sha256 IN ({digests:Array(String)}) AND outcome != 'quarantined'
GROUP BY sha256
ORDER BY sha256
