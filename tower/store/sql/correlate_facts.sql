-- One row: a fact of the batch on one object it is kept on.
SELECT
    sipHash64(on_type, on_id) AS object, on_type AS object_type, on_id AS object_id,
    ev, body, event_id, source, connection, kind, milestone, polarity, occurred_at, received_at, amount, quantity,
    currency, customer_id, customer_tier, channel, order_type, company, warehouse, partner, promised_at, requested_at,
    reason, error, trace_id, raw_id, mapping, source_version
FROM batch
ARRAY JOIN arrayMap(t -> CAST(t AS String), on_types) AS on_type, on_ids AS on_id
