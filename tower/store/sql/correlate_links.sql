-- One row: a statement of the batch that a child hangs from a parent (or no longer does).
SELECT
    sipHash64(child_type, child_id) AS child, child_type, child_id,
    sipHash64(parent_type, parent_id) AS parent, parent_type, parent_id,
    relation, retract, ev, body, event_id, source, occurred_at, received_at
FROM batch
ARRAY JOIN
    arrayMap(t -> CAST(t AS String), child_types) AS child_type, child_ids AS child_id,
    arrayMap(t -> CAST(t AS String), parent_types) AS parent_type, parent_ids AS parent_id,
    arrayMap(t -> CAST(t AS String), relations) AS relation, retracts AS retract
