-- New spans whose success means that a milestone was reached. Parameter: after. One row: one span. Order: start.
SELECT
    trace_id, span_id, parent_id, toUnixTimestamp64Nano(started_at) AS started_ns, duration_ns, service, name, source,
    failed, message, milestone, reports, object_types, object_ids, link_traces, link_spans
FROM order_spans
WHERE stored_at > {after:DateTime64(3, 'UTC')} AND reports != '' AND NOT failed AND notEmpty(object_types)
ORDER BY started_at, span_id
