-- Log records of some traces, and those that name one of some objects. Parameters: traces, first_at, last_at, objects
-- (object_id, object_type), as_of, limit. A record may be written a while after its span: a day is looked beyond.
-- One row: one record. Order: the latest first.
SELECT
    Timestamp AS at, TraceId AS trace_id, SpanId AS span_id, SeverityNumber AS severity_number,
    SeverityText AS severity, ServiceName AS service, EventName AS event, Body AS body
FROM otel_logs
WHERE
(
    TraceId IN {traces:Array(String)}
        AND Timestamp >= {first_at:DateTime('UTC')} - toIntervalHour(1)
        AND Timestamp <= {last_at:DateTime('UTC')} + toIntervalDay(1)
    OR (Timestamp, ServiceName, SpanId) IN
    (
        SELECT started_at, service, span_id
        FROM object_signals
        WHERE (object_id, object_type) IN {objects:Array(Tuple(String, String))} AND signal = 'log'
    )
)
    AND Timestamp <= {as_of:DateTime64(3, 'UTC')}
ORDER BY Timestamp DESC, SpanId, Body
LIMIT {limit:UInt32}
