-- One row: a statement of the batch that a child hangs from a parent (or no longer does). An alias is stated both ways, so
-- that what belongs to either name belongs to both; the second way has a relation of its own and is never judged.
SELECT
    sipHash64(ends.1, ends.2) AS child, ends.1 AS child_type, ends.2 AS child_id,
    sipHash64(ends.3, ends.4) AS parent, ends.3 AS parent_type, ends.4 AS parent_id,
    ends.5 AS relation, retract, ev, body, event_id, source, occurred_at, received_at
FROM
(
    SELECT
        [(lower_type, lower_id, upper_type, upper_id, stated), (upper_type, upper_id, lower_type, lower_id, concat(stated, '_of'))] AS ways,
        arraySlice(ways, 1, if(stated IN ('alias', 'weak_alias'), 2, 1)) AS kept,
        retract, ev, body, event_id, source, occurred_at, received_at
    FROM batch
    ARRAY JOIN
        arrayMap(t -> CAST(t AS String), child_types) AS lower_type, child_ids AS lower_id,
        arrayMap(t -> CAST(t AS String), parent_types) AS upper_type, parent_ids AS upper_id,
        arrayMap(t -> CAST(t AS String), relations) AS stated, retracts AS retract
)
ARRAY JOIN kept AS ends
