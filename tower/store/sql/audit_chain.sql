-- A stretch of the chain for checking it. Parameters: after (seq), limit. Order: seq, then whatever doubles it.
SELECT seq, at, actor, act, subject, why, detail, previous, hash
FROM audit
WHERE seq > {after:UInt64}
ORDER BY seq, hash
LIMIT {limit:UInt32}
