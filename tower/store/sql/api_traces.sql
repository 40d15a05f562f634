-- Every span of every trace that names the order, or that one of its events names. Parameters: order_id, trace_ids,
-- limit. One row: one span. Order: trace, then start.
SELECT
    TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_span_id, ServiceName AS service, SpanName AS name,
    SpanKind AS kind, Timestamp AS started_at, Duration AS duration_ns, StatusCode AS status,
    StatusMessage AS status_message, SpanAttributes AS attributes
FROM otel_traces
WHERE TraceId IN
(
    SELECT TraceId FROM otel_traces WHERE OrderId = {order_id:String}
    UNION ALL
    SELECT arrayJoin({trace_ids:Array(String)})
)
ORDER BY TraceId, Timestamp, SpanId
LIMIT {limit:UInt32}
