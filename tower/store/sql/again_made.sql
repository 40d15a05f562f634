-- Events that the messages {raw_ids} made and that are in force. One row: source, event_id, type, milestone, occurred_at,
-- received_at, connection, kind, raw_id, rank; no order.
WITH made AS
(
    SELECT ev, body, source, event_id, type, milestone, polarity, occurred_at, received_at, connection, kind, raw_id, rank
    FROM events
    WHERE raw_id IN {raw_ids:Array(String)} AND quarantine = '' AND milestone != ''
)
SELECT source, event_id, type, milestone, occurred_at, received_at, connection, kind, raw_id, rank
FROM made
WHERE polarity != 'withdrawn' AND (ev, body) IN
(
    SELECT ev, argMin(body, (bitNot(rank), body))
    FROM identities
    WHERE ev IN (SELECT ev FROM made)
    GROUP BY ev
)
LIMIT 1 BY ev
