-- Traces with a success of some work that links to a trace which names some objects. Parameters: objects (object_id,
-- object_type), work (service, name). One row: one trace; no order.
SELECT DISTINCT trace_id
FROM order_spans
WHERE (trace_id, span_id) IN
(
    SELECT trace_id, span_id
    FROM span_links
    WHERE linked_trace IN
    (
        SELECT trace_id FROM object_signals WHERE (object_id, object_type) IN {objects:Array(Tuple(String, String))}
    )
)
    AND NOT failed AND (service, name) IN {work:Array(Tuple(String, String))}
