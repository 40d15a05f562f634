-- Up to which insert the next batch reaches. Parameters: after, events (about how many). One row: until, how many.
SELECT max(stored_at) AS until, count() AS events
FROM
(
    SELECT stored_at
    FROM events
    WHERE stored_at > {after:DateTime64(3, 'UTC')}
    ORDER BY stored_at
    LIMIT {events:UInt64}
)
