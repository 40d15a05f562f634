-- The traces of an order: those that name one of its objects, by a span or a log record, those of its events, and those
-- that either links to or is linked from. Parameters: objects (object_id, object_type), trace_ids, as_of, limit.
-- One row: one trace with its first and last start. Order: the latest first.
WITH
    own AS
    (
        SELECT trace_id
        FROM object_signals
        WHERE (object_id, object_type) IN {objects:Array(Tuple(String, String))} AND trace_id != ''
        UNION DISTINCT
        SELECT arrayJoin({trace_ids:Array(String)})
    )
SELECT TraceId AS trace_id, min(Start) AS first_at, max(End) AS last_at
FROM otel_traces_trace_id_ts
WHERE TraceId IN
(
    SELECT trace_id FROM own
    UNION ALL
    SELECT trace_id FROM span_links WHERE linked_trace IN (SELECT trace_id FROM own)
    UNION ALL
    SELECT arrayJoin(link_traces) FROM order_spans WHERE trace_id IN (SELECT trace_id FROM own)
)
GROUP BY TraceId
HAVING first_at <= {as_of:DateTime64(3, 'UTC')}
ORDER BY last_at DESC, trace_id
LIMIT {limit:UInt32}
