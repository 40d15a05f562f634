-- The first file with this content that was not refused whole: raw_id, '' if there is none. One row.
-- Parameters: connection, sha256.
SELECT min(raw_id) AS raw_id
FROM raw
WHERE method = 'FILE' AND connection = {connection:String} AND sha256 = {sha256:String} AND outcome != 'quarantined'
