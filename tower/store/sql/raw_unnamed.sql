-- Native messages with a body of which some part made no event, so that no event can tell whom they are about.
-- Parameters: after, limit. One row: raw_id, body; by raw_id.
SELECT raw_id, body
FROM raw
WHERE raw_id > {after:String} AND body != '' AND (events = 0 OR quarantined > 0)
ORDER BY raw_id
LIMIT {limit:UInt32}
