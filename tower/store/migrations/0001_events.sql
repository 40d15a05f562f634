-- What arrived. One row of `events` is one message as the journal held it; `stored_at` is the engine's read cursor
-- and rises strictly from insert to insert. Rows with a quarantine reason make no facts.
-- Rows of one insert lie as they came, so that an order's events are neighbours; a part is written as few files until
-- merges have made it large.
CREATE TABLE events
(
    stored_at         DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    received_at       DateTime64(3, 'UTC'),
    connection        LowCardinality(String),
    kind              LowCardinality(String),
    source            String,
    event_id          String,
    ev                UInt64 DEFAULT sipHash64(source, event_id),  -- the identity
    body              UInt64 DEFAULT sipHash64(                    -- the content: tells a duplicate from a conflict
        type, occurred_at, on_types, on_ids, child_types, child_ids, parent_types, parent_ids, relations, retracts,
        ifNull(toString(amount), ''), ifNull(toString(quantity), ''), currency, customer_id, customer_tier, channel,
        order_type, company, warehouse, partner, ifNull(toString(promised_at), ''), ifNull(toString(requested_at), ''),
        reason, error, toString(attributes)),
    type              LowCardinality(String),
    milestone         LowCardinality(String),  -- '' for a heartbeat
    polarity          LowCardinality(String),  -- reached, failed, reversed
    occurred_at       DateTime64(3, 'UTC'),
    on_types          Array(LowCardinality(String)),  -- the objects the fact is kept on: the deepest named
    on_ids            Array(String),
    child_types       Array(LowCardinality(String)),  -- links, inferred and explicit
    child_ids         Array(String),
    parent_types      Array(LowCardinality(String)),
    parent_ids        Array(String),
    relations         Array(LowCardinality(String)),
    retracts          Array(UInt8),
    amount            Nullable(Decimal(38, 6)),
    quantity          Nullable(Decimal(38, 6)),
    currency          LowCardinality(String),
    customer_id       String,
    customer_tier     LowCardinality(String),
    channel           LowCardinality(String),
    order_type        LowCardinality(String),
    company           LowCardinality(String),
    warehouse         LowCardinality(String),
    partner           LowCardinality(String),
    promised_at       Nullable(DateTime64(3, 'UTC')),
    requested_at      Nullable(DateTime64(3, 'UTC')),
    reason            String,
    error             String,
    attributes        Map(LowCardinality(String), String),
    trace_id          String,
    quarantine        LowCardinality(String),  -- reason code, '' when usable
    quarantine_detail String,
    raw               String CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY stored_at
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728;

-- Every identity ever stored with its content hash: a second body under one identity is a conflict.
CREATE TABLE identities
(
    ev   UInt64,
    body UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (ev, body)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024;

CREATE MATERIALIZED VIEW identities_mv TO identities AS
SELECT ev, body FROM events WHERE quarantine = '' AND milestone != '';

-- Authentic messages that could not be used, with the reason. state: open, replayed, discarded.
CREATE TABLE quarantine
(
    quarantine_id UInt64,
    received_at   DateTime64(3, 'UTC'),
    stored_at     DateTime64(3, 'UTC'),
    connection    LowCardinality(String),
    source        String,
    event_id      String,
    type          String,
    reason        LowCardinality(String),
    detail        String,
    raw           String CODEC(ZSTD(3)),
    state         LowCardinality(String) DEFAULT 'open',
    version       UInt64 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY quarantine_id
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW quarantine_mv TO quarantine AS
SELECT
    sipHash64(ev, body, quarantine) AS quarantine_id, received_at, stored_at, connection, source, event_id,
    type, quarantine AS reason, quarantine_detail AS detail, raw
FROM events
WHERE quarantine != '';

-- What each connection was heard to say, by instant of arrival: the source of watermarks, also of past ones.
CREATE TABLE heard
(
    connection  LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    watermark   SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    last_at     SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    events      SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (connection, received_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW heard_mv TO heard AS
SELECT connection, received_at, max(occurred_at) AS watermark, max(received_at) AS last_at, count() AS events
FROM events
WHERE connection != '' AND quarantine = ''
GROUP BY connection, received_at;
