-- Whether anything has come in. Parameters: after (of stored_at), since. One row: events or hand, and the latest instant of
-- what is new of it, 1970 if nothing is.
SELECT 'events' AS what, max(stored_at) AS latest_at FROM events WHERE stored_at > {after:DateTime64(3, 'UTC')}
UNION ALL
SELECT 'hand', max(received_at) FROM hand_facts WHERE received_at > {since:DateTime64(3, 'UTC')}
