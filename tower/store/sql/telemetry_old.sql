-- Days and months of telemetry that lie wholly before a day. Parameter: before (a date). One row: one partition of one
-- table. Order: table, partition.
SELECT DISTINCT table, partition_id
FROM system.parts
WHERE database = currentDatabase() AND active
    AND
    (
        table IN ('otel_traces', 'otel_logs', 'otel_traces_trace_id_ts')
            AND toDateOrZero(partition) < {before:Date}
        OR table IN ('order_spans', 'span_links', 'object_signals', 'failed_hops')
            AND toUInt32OrZero(partition) < toYYYYMM({before:Date})
    )
ORDER BY table, partition_id
