-- The first seq that no honest chain has: doubled, or before the first. One row (seq), none when all is well.
SELECT seq FROM audit GROUP BY seq HAVING count() > 1 OR seq = 0 ORDER BY seq LIMIT 1
