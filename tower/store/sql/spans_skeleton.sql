-- How the spans of some traces hang together. Parameter: traces. One row: one span; no order.
-- The table of times bounds which days are read.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN {traces:Array(String)}) AS begins,
    (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId IN {traces:Array(String)}) AS ends
SELECT DISTINCT TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_id
FROM otel_traces
WHERE TraceId IN {traces:Array(String)} AND Timestamp >= begins AND Timestamp <= ends
LIMIT 200000
