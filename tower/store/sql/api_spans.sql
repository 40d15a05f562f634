-- The spans of some traces, each once however often it was sent. Parameters: traces, first_at, last_at, limit (of each
-- trace). message: of the status, else of the exception, else what a call was answered. One row: one span.
-- Order: trace, start.
SELECT
    TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_span_id, ServiceName AS service, SpanName AS name,
    SpanKind AS kind, Timestamp AS started_at, toUnixTimestamp64Nano(Timestamp) AS started_ns, Duration AS duration_ns,
    StatusCode AS status,
    multiIf(
        StatusMessage != '', StatusMessage,
        Events.Attributes[indexOf(Events.Name, 'exception')]['exception.message'] != '',
        Events.Attributes[indexOf(Events.Name, 'exception')]['exception.message'],
        StatusCode = 'Error' AND SpanAttributes['http.response.status_code'] != '',
        concat('HTTP ', SpanAttributes['http.response.status_code']),
        StatusCode = 'Error', SpanAttributes['error.type'], '') AS status_message,
    SpanAttributes AS attributes
FROM
(
    SELECT *
    FROM otel_traces
    WHERE TraceId IN {traces:Array(String)}
        AND Timestamp >= {first_at:DateTime('UTC')} AND Timestamp < {last_at:DateTime('UTC')} + toIntervalSecond(1)
    ORDER BY TraceId, Timestamp, SpanId
    LIMIT 1 BY TraceId, SpanId
)
ORDER BY TraceId, Timestamp, SpanId
LIMIT {limit:UInt32} BY TraceId
