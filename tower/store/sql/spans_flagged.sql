-- The spans of some traces that the tower looks at closer. Parameter: traces. One row: one span. Order: trace, start.
SELECT
    trace_id, span_id, parent_id, toUnixTimestamp64Nano(started_at) AS started_ns, duration_ns, service, name, source,
    failed, message, milestone, reports, object_types, object_ids, link_traces, link_spans
FROM order_spans
WHERE trace_id IN {traces:Array(String)}
ORDER BY trace_id, started_at, span_id
LIMIT 1 BY trace_id, span_id
LIMIT 100000
