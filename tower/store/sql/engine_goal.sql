-- Up to which insert events are stored now. Parameters: after. One row: the latest stored_at, 1970 if nothing is new.
SELECT max(stored_at)
FROM events
WHERE stored_at > {after:DateTime64(3, 'UTC')}
