-- Ids of kept messages of {connection} that still have a body, after {after}, by arrival. Parameter: limit.
SELECT raw_id
FROM raw
WHERE raw_id > {after:String} AND connection = {connection:String} AND body != ''
ORDER BY raw_id
LIMIT {limit:UInt32}
