-- Telemetry in full. The engine parses OTLP itself: a block of joined request bodies is one row of a table that keeps
-- nothing, and a view turns it into rows. Field names are those of collector/otlp/traces.proto and logs.proto.
CREATE TABLE otlp_traces
(
    resource_spans Array(Tuple(
        resource Tuple(
            attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String))))),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String),
            spans Array(Tuple(
                trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int32,
                start_time_unix_nano UInt64, end_time_unix_nano UInt64,
                attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String)))),
                events Array(Tuple(
                    time_unix_nano UInt64, name String,
                    attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String)))))),
                links Array(Tuple(
                    trace_id String, span_id String, trace_state String,
                    attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String)))))),
                status Tuple(message String, code Int32)))))))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW otlp_traces_mv TO otel_traces AS
WITH
    id -> if(match(id, '^\\0*$'), '', lower(hex(id))) AS as_id,
    attributes -> CAST(
        (
            attributes.key,
            arrayMap(
                v -> coalesce(
                    v.string_value, toString(v.int_value), toString(v.bool_value), toString(v.double_value),
                    base64Encode(v.bytes_value), ''),
                attributes.value)
        ),
        'Map(LowCardinality(String), String)') AS as_map
SELECT
    fromUnixTimestamp64Nano(toInt64(span.start_time_unix_nano)) AS Timestamp,
    lower(hex(span.trace_id)) AS TraceId,
    lower(hex(span.span_id)) AS SpanId,
    as_id(span.parent_span_id) AS ParentSpanId,
    span.trace_state AS TraceState,
    span.name AS SpanName,
    transform(span.kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified') AS SpanKind,
    ResourceAttributes['service.name'] AS ServiceName,
    ResourceAttributes,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    as_map(span.attributes) AS SpanAttributes,
    if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0) AS Duration,
    transform(span.status.code, [1, 2], ['Ok', 'Error'], 'Unset') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(at -> fromUnixTimestamp64Nano(toInt64(at)), span.events.time_unix_nano) AS `Events.Timestamp`,
    span.events.name AS `Events.Name`,
    arrayMap(attributes -> as_map(attributes), span.events.attributes) AS `Events.Attributes`,
    arrayMap(id -> lower(hex(id)), span.links.trace_id) AS `Links.TraceId`,
    arrayMap(id -> lower(hex(id)), span.links.span_id) AS `Links.SpanId`,
    span.links.trace_state AS `Links.TraceState`,
    arrayMap(attributes -> as_map(attributes), span.links.attributes) AS `Links.Attributes`
FROM
(
    SELECT ResourceAttributes, group.scope AS scope, arrayJoin(group.spans) AS span
    FROM
    (
        SELECT as_map(r.resource.attributes) AS ResourceAttributes, arrayJoin(r.scope_spans) AS group
        FROM (SELECT arrayJoin(resource_spans) AS r FROM otlp_traces)
    )
);

-- The shape of the exporter since 2026: no TimestampTime, ordered by five minutes, EventName last.
CREATE TABLE otel_logs
(
    Timestamp          DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId            String CODEC(ZSTD(1)),
    SpanId             String CODEC(ZSTD(1)),
    TraceFlags         UInt8,
    SeverityText       LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber     UInt8,
    ServiceName        LowCardinality(String) CODEC(ZSTD(1)),
    Body               String CODEC(ZSTD(1)),
    ResourceSchemaUrl  LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl     LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName          String CODEC(ZSTD(1)),
    ScopeVersion       LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes    Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes      Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    EventName          String CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE otlp_logs
(
    resource_logs Array(Tuple(
        resource Tuple(
            attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String))))),
        schema_url String,
        scope_logs Array(Tuple(
            scope Tuple(
                name String, version String,
                attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String))))),
            schema_url String,
            log_records Array(Tuple(
                time_unix_nano UInt64, observed_time_unix_nano UInt64, severity_number Int32, severity_text String,
                body Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String)),
                attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), bytes_value Nullable(String)))),
                flags UInt32, trace_id String, span_id String, event_name String))))))
)
ENGINE = Null;

-- A record without a time of its own has the one at which it was observed. Ids that are none belong to no trace.
CREATE MATERIALIZED VIEW otlp_logs_mv TO otel_logs AS
WITH
    (id, size) -> if(length(id) != size OR match(id, '^\\0*$'), '', lower(hex(id))) AS as_id,
    attributes -> CAST(
        (
            attributes.key,
            arrayMap(
                v -> coalesce(
                    v.string_value, toString(v.int_value), toString(v.bool_value), toString(v.double_value),
                    base64Encode(v.bytes_value), ''),
                attributes.value)
        ),
        'Map(LowCardinality(String), String)') AS as_map
SELECT
    fromUnixTimestamp64Nano(toInt64(if(log.time_unix_nano > 0, log.time_unix_nano, log.observed_time_unix_nano))) AS Timestamp,
    as_id(log.trace_id, 16) AS TraceId,
    as_id(log.span_id, 8) AS SpanId,
    toUInt8(bitAnd(log.flags, 255)) AS TraceFlags,
    log.severity_text AS SeverityText,
    toUInt8(least(greatest(log.severity_number, 0), 255)) AS SeverityNumber,
    ResourceAttributes['service.name'] AS ServiceName,
    coalesce(
        log.body.string_value, toString(log.body.int_value), toString(log.body.bool_value),
        toString(log.body.double_value), base64Encode(log.body.bytes_value), '') AS Body,
    ResourceSchemaUrl,
    ResourceAttributes,
    ScopeSchemaUrl,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    ScopeAttributes,
    as_map(log.attributes) AS LogAttributes,
    log.event_name AS EventName
FROM
(
    SELECT
        ResourceAttributes, ResourceSchemaUrl, group.scope AS scope, group.schema_url AS ScopeSchemaUrl,
        as_map(group.scope.attributes) AS ScopeAttributes, arrayJoin(group.log_records) AS log
    FROM
    (
        SELECT
            as_map(r.resource.attributes) AS ResourceAttributes, r.schema_url AS ResourceSchemaUrl,
            arrayJoin(r.scope_logs) AS group
        FROM (SELECT arrayJoin(resource_logs) AS r FROM otlp_logs)
    )
);

-- A span or log record names objects by its attributes `o2c.<type>_id`, its own before its resource's.
-- What the tower looks at closer: spans that name an object, spans that failed, spans with links. stored_at is the
-- cursor of their reader (collector/otlp/reader.py).
CREATE TABLE order_spans
(
    stored_at    DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    trace_id     String,
    span_id      String,
    parent_id    String,
    started_at   DateTime64(9, 'UTC'),
    duration_ns  UInt64,
    service      LowCardinality(String),
    name         LowCardinality(String),
    source       LowCardinality(String),         -- o2c.source of the resource
    failed       UInt8,
    message      String,                         -- of the status, else of the exception, else what the call was answered
    milestone    LowCardinality(String),         -- o2c.milestone: what the span works for
    reports      LowCardinality(String),         -- o2c.reports: what its success means
    object_types Array(LowCardinality(String)),
    object_ids   Array(String),
    link_traces  Array(String),
    link_spans   Array(String),
    INDEX stored_idx stored_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (trace_id, span_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW order_spans_mv TO order_spans AS
SELECT
    TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_id, Timestamp AS started_at, Duration AS duration_ns,
    ServiceName AS service, SpanName AS name, ResourceAttributes['o2c.source'] AS source, StatusCode = 'Error' AS failed,
    multiIf(
        StatusMessage != '', StatusMessage,
        Events.Attributes[indexOf(Events.Name, 'exception')]['exception.message'] != '',
        Events.Attributes[indexOf(Events.Name, 'exception')]['exception.message'],
        SpanAttributes['http.response.status_code'] != '', concat('HTTP ', SpanAttributes['http.response.status_code']),
        SpanAttributes['error.type']) AS message,
    SpanAttributes['o2c.milestone'] AS milestone, SpanAttributes['o2c.reports'] AS reports,
    arrayMap(o -> o.1, objects) AS object_types, arrayMap(o -> o.2, objects) AS object_ids,
    Links.TraceId AS link_traces, Links.SpanId AS link_spans
FROM
(
    SELECT
        *,
        arrayConcat(
            CAST(mapFilter((k, v) -> startsWith(k, 'o2c.') AND endsWith(k, '_id'), SpanAttributes), 'Array(Tuple(String, String))'),
            CAST(mapFilter((k, v) -> startsWith(k, 'o2c.') AND endsWith(k, '_id') AND NOT mapContains(SpanAttributes, k), ResourceAttributes), 'Array(Tuple(String, String))')
        ) AS named,
        arrayFilter(
            o -> has(['order', 'order_line', 'fulfillment', 'shipment', 'invoice', 'payment', 'return', 'credit_memo', 'inventory_position', 'load', 'case', 'document'], o.1)
                AND lengthUTF8(o.2) BETWEEN 1 AND 256,
            arrayDistinct(arrayFlatten(arrayMap(
                n -> arrayMap(
                    id -> (substring(n.1, 5, length(n.1) - 7), id),
                    if(startsWith(n.2, '["'), arraySlice(JSONExtract(n.2, 'Array(String)'), 1, 1000), [n.2])),
                named)))) AS objects
    FROM otel_traces
    WHERE StatusCode = 'Error' OR notEmpty(Links.TraceId)
        OR arrayExists(k -> startsWith(k, 'o2c.') AND endsWith(k, '_id'), mapKeys(SpanAttributes))
        OR arrayExists(k -> startsWith(k, 'o2c.') AND endsWith(k, '_id'), mapKeys(ResourceAttributes))
);

-- Which span links to which: from what is linked to what links.
CREATE TABLE span_links
(
    linked_trace String,
    linked_span  String,
    trace_id     String,
    span_id      String,
    started_at   DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (linked_trace, trace_id, linked_span, span_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW span_links_mv TO span_links AS
SELECT linked_trace, linked_span, trace_id, span_id, started_at
FROM order_spans
ARRAY JOIN link_traces AS linked_trace, link_spans AS linked_span;

-- From an object to the telemetry that names it. signal: span, log, or link (a span that is linked to one that names it).
CREATE TABLE object_signals
(
    object_type LowCardinality(String),
    object_id   String,
    signal      LowCardinality(String),
    service     LowCardinality(String),
    name        LowCardinality(String),
    started_at  DateTime64(9, 'UTC'),
    trace_id    String,
    span_id     String,
    source      LowCardinality(String),
    failed      UInt8,
    milestone   LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (object_id, object_type, service, name, started_at, trace_id, span_id, signal)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW object_signals_spans_mv TO object_signals AS
SELECT
    object_type, object_id, 'span' AS signal, service, name, started_at, trace_id, span_id, source, failed,
    if(reports != '', reports, milestone) AS milestone
FROM order_spans
ARRAY JOIN object_types AS object_type, object_ids AS object_id;

CREATE MATERIALIZED VIEW object_signals_logs_mv TO object_signals AS
SELECT
    objects.1 AS object_type, objects.2 AS object_id, 'log' AS signal, ServiceName AS service, EventName AS name,
    Timestamp AS started_at, TraceId AS trace_id, SpanId AS span_id, ResourceAttributes['o2c.source'] AS source,
    0 AS failed, '' AS milestone
FROM
(
    SELECT
        *,
        arrayConcat(
            CAST(mapFilter((k, v) -> startsWith(k, 'o2c.') AND endsWith(k, '_id'), LogAttributes), 'Array(Tuple(String, String))'),
            CAST(mapFilter((k, v) -> startsWith(k, 'o2c.') AND endsWith(k, '_id') AND NOT mapContains(LogAttributes, k), ResourceAttributes), 'Array(Tuple(String, String))')
        ) AS named,
        arrayFilter(
            o -> has(['order', 'order_line', 'fulfillment', 'shipment', 'invoice', 'payment', 'return', 'credit_memo', 'inventory_position', 'load', 'case', 'document'], o.1)
                AND lengthUTF8(o.2) BETWEEN 1 AND 256,
            arrayDistinct(arrayFlatten(arrayMap(
                n -> arrayMap(
                    id -> (substring(n.1, 5, length(n.1) - 7), id),
                    if(startsWith(n.2, '["'), arraySlice(JSONExtract(n.2, 'Array(String)'), 1, 1000), [n.2])),
                named)))) AS objects
    FROM otel_logs
    WHERE arrayExists(k -> startsWith(k, 'o2c.') AND endsWith(k, '_id'), mapKeys(LogAttributes))
        OR arrayExists(k -> startsWith(k, 'o2c.') AND endsWith(k, '_id'), mapKeys(ResourceAttributes))
)
ARRAY JOIN objects;

-- The work that failed on an object and that only its own success heals: looked up for every later success.
CREATE TABLE failed_hops
(
    object_type LowCardinality(String),
    object_id   String,
    signal      LowCardinality(String),
    service     LowCardinality(String),
    name        LowCardinality(String),
    started_at  DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (object_id, object_type, service, name, started_at, signal)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW failed_hops_mv TO failed_hops AS
SELECT object_type, object_id, signal, service, name, started_at
FROM object_signals
WHERE failed AND milestone = '';

-- Objects are looked up in object_signals.
ALTER TABLE otel_traces DROP INDEX IF EXISTS idx_order_id;
ALTER TABLE otel_traces DROP COLUMN IF EXISTS OrderId;
