-- Who was told what. Rows are synced before anything is sent, so that a kill at any point neither loses nor doubles.

-- Breaches in the order in which they changed: what alerts have not seen yet.
CREATE TABLE breach_changes
(
    updated_at DateTime64(3, 'UTC'),
    order_no   UInt64,
    rule       LowCardinality(String),
    kind       LowCardinality(String),
    object     UInt64
)
ENGINE = MergeTree
ORDER BY (updated_at, order_no)
TTL toDateTime(updated_at) + INTERVAL 30 DAY;

CREATE MATERIALIZED VIEW breach_changes_mv TO breach_changes AS
SELECT updated_at, order_no, rule, kind, object
FROM breaches;

-- One row per alert: the breaches of one group for one receiver, from the first until all are over.
CREATE TABLE alerts
(
    alert_id        String,
    group           String,
    route           String,
    receiver        LowCardinality(String),
    labels          Map(LowCardinality(String), String),
    opened_at       DateTime64(3, 'UTC'),
    anchor          DateTime64(3, 'UTC'),              -- first moment at which the group may speak
    flush_at        Nullable(DateTime64(3, 'UTC')),
    reason          LowCardinality(String),            -- of the last notice
    next_at         Nullable(DateTime64(3, 'UTC')),    -- the next notice, if nothing changes
    next_reason     LowCardinality(String),
    notices         UInt32,
    first_at        Nullable(DateTime64(3, 'UTC')),
    last_at         Nullable(DateTime64(3, 'UTC')),
    escalated       UInt32,
    acknowledged_by String,
    acknowledged_at Nullable(DateTime64(3, 'UTC')),
    note            String,
    priority        LowCardinality(String),            -- best of the open orders
    value           Decimal(38, 6),                    -- at risk, in the reporting currency
    orders          UInt32,
    breaches        UInt32,
    open_breaches   UInt32,
    closed_at       Nullable(DateTime64(3, 'UTC')),
    outcome         LowCardinality(String),            -- set when it closes: real, self_healed, feed, duplicate
    updated_at      DateTime64(3, 'UTC'),
    revision        UInt64,
    INDEX open_idx closed_at IS NULL TYPE set(2) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY alert_id
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1;

-- Breaches of an alert. told, told_over: number of the alert's notice that said so; it counts once that notice exists.
CREATE TABLE alert_breaches
(
    alert_id    String,
    breach_id   String,
    order_no    UInt64,
    order_id    String,
    state       LowCardinality(String),
    opened_at   DateTime64(3, 'UTC'),
    detected_at DateTime64(3, 'UTC'),
    over_at     Nullable(DateTime64(3, 'UTC')),
    facts       Map(LowCardinality(String), String),
    told        Int32,
    told_over   Int32,
    quiet       UInt8,
    held_by     String,
    updated_at  DateTime64(3, 'UTC'),
    revision    UInt64,
    INDEX order_idx order_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (alert_id, breach_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;

-- One row per notice and way. state: due, sending, sent, failed (given up), held (above the cap, for a summary).
CREATE TABLE notices
(
    notice_id  String,
    channel    LowCardinality(String),
    alert_id   String,
    number     UInt32,
    receiver   LowCardinality(String),
    reason     LowCardinality(String),
    priority   LowCardinality(String),
    at         DateTime64(3, 'UTC'),
    body       String,                                 -- JSON, as it goes to machines
    covers     Array(String),                          -- of a summary: the notices it stands for
    urgent     UInt8,
    state      LowCardinality(String),
    attempts   UInt32,
    next_at    Nullable(DateTime64(3, 'UTC')),
    sent_at    Nullable(DateTime64(3, 'UTC')),
    detail     String,
    updated_at DateTime64(3, 'UTC'),
    revision   UInt64,
    INDEX alert_idx alert_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX state_idx state TYPE set(8) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (notice_id, channel)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1;

-- What people say about alerts, and what they want to hear nothing of. The audit has each row first.
CREATE TABLE alert_acks
(
    alert_id String,
    by       String,                                   -- '' takes the acknowledgement back
    at       DateTime64(3, 'UTC'),
    note     String,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY alert_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE silences
(
    silence_id String,
    matchers   String,                                 -- JSON, in the words of `when`
    starts_at  DateTime64(3, 'UTC'),
    ends_at    DateTime64(3, 'UTC'),
    author     String,
    comment    String,
    created_at DateTime64(3, 'UTC'),
    revision   UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY silence_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- A receiver that must not be called again: its address said so (410).
CREATE TABLE receivers_off
(
    receiver LowCardinality(String),
    address  String,                                   -- hash of the address that said it
    at       DateTime64(3, 'UTC'),
    detail   String
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (receiver, address)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Up to where breaches were looked at, and by which rulebook: what a new one finds is history.
CREATE TABLE alert_cursor
(
    name    LowCardinality(String),
    seen_at DateTime64(3, 'UTC'),
    book    LowCardinality(String),
    at      DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
