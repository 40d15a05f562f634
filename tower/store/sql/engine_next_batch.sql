-- Up to which insert the next batch reaches. Parameters: after, goal, events (about how many). One row: until.
SELECT max(stored_at) AS until
FROM
(
    SELECT stored_at
    FROM events
    WHERE stored_at > {after:DateTime64(3, 'UTC')} AND stored_at <= {goal:DateTime64(3, 'UTC')}
    ORDER BY stored_at
    LIMIT {events:UInt64}
)
