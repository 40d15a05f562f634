-- Successes of work that had failed on an object before. Parameter: work (object_id, object_type, service, name).
-- One row: one successful span on one object that began after a failed one. Order: start.
SELECT
    object_type, object_id, service, name, source, trace_id, span_id, toUnixTimestamp64Nano(started_at) AS started_ns
FROM
(
    SELECT
        *, min(if(failed, started_at, NULL)) OVER (PARTITION BY object_id, object_type, service, name) AS failed_at
    FROM object_signals
    WHERE (object_id, object_type, service, name) IN {work:Array(Tuple(String, String, String, String))}
        AND signal != 'log' AND milestone = ''
)
WHERE NOT failed AND started_at > failed_at
ORDER BY started_at, trace_id, span_id, object_type, object_id
