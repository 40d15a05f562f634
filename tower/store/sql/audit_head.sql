-- The last link of the chain. One row (seq, hash), none before the first entry.
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1
