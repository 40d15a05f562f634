-- What feeds promise and what they brought. Everything here is idempotent: the same message twice counts once.

-- The place of a message in its sender's numbering: a control number, or the CloudEvents `sequence`.
-- `sequence_of` names the numbering (sender, receiver, level); '' where a message has no number.
ALTER TABLE events ADD COLUMN IF NOT EXISTS sequence_of LowCardinality(String) AFTER trace_id;
ALTER TABLE events ADD COLUMN IF NOT EXISTS sequence UInt64 AFTER sequence_of;

-- One row per connection: when it was first promised, up to when it has told, and when it was last heard. A tick reads
-- this and not `heard`, which grows with history and answers what was known at an earlier moment.
CREATE TABLE heard_latest
(
    connection  LowCardinality(String),
    promised_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) DEFAULT '2200-01-01 00:00:00.000',
    watermark   SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    last_at     SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY connection
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW heard_latest_mv TO heard_latest AS
SELECT connection, max(occurred_at) AS watermark, max(received_at) AS last_at
FROM events
WHERE connection != '' AND quarantine = ''
GROUP BY connection;

INSERT INTO heard_latest (connection, watermark, last_at)
SELECT connection, max(watermark), max(last_at)
FROM heard
GROUP BY connection;

-- Which events of which five minutes were heard, by the time they tell of; heartbeats bring nothing and do not count.
CREATE TABLE heard_events
(
    connection LowCardinality(String),
    bucket     DateTime('UTC'),
    ev         UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (connection, bucket, ev)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW heard_events_mv TO heard_events AS
SELECT connection, toStartOfFiveMinutes(toDateTime(occurred_at, 'UTC')) AS bucket, ev
FROM events
WHERE connection != '' AND quarantine = '' AND milestone != '';

INSERT INTO heard_events
SELECT connection, toStartOfFiveMinutes(toDateTime(occurred_at, 'UTC')), ev
FROM events
WHERE connection != '' AND quarantine = '' AND milestone != '';

-- How many events each five minutes brought: counted by the engine, the largest count is the latest.
CREATE TABLE feed_counts
(
    connection LowCardinality(String),
    bucket     DateTime('UTC'),
    events     SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (connection, bucket);

INSERT INTO feed_counts
SELECT connection, bucket, uniqExact(ev)
FROM heard_events
GROUP BY connection, bucket;

-- Which numbers of a numbering were heard on which day (UTC, of arrival), in blocks of 4,096.
CREATE TABLE heard_numbers
(
    connection  LowCardinality(String),
    sequence_of LowCardinality(String),
    day         Date,
    block       UInt64,
    numbers     AggregateFunction(groupBitmap, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (connection, sequence_of, day, block)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW heard_numbers_mv TO heard_numbers AS
SELECT
    connection, sequence_of, toDate(received_at) AS day, intDiv(sequence, 4096) AS block,
    groupBitmapState(sequence) AS numbers
FROM events
WHERE connection != '' AND quarantine = '' AND sequence_of != ''
GROUP BY connection, sequence_of, day, block;

-- Native messages carry their numbers themselves, also those that were not mapped. A message that was read is heard even
-- where it told nothing new (a file whose rows had not changed); how far its connection has told is said by events only.
ALTER TABLE raw ADD COLUMN IF NOT EXISTS `numbers.sequence_of` Array(LowCardinality(String));
ALTER TABLE raw ADD COLUMN IF NOT EXISTS `numbers.sequence` Array(UInt64);

CREATE MATERIALIZED VIEW heard_numbers_raw_mv TO heard_numbers AS
SELECT
    connection, CAST(name AS LowCardinality(String)) AS sequence_of, toDate(received_at) AS day,
    intDiv(number, 4096) AS block, groupBitmapState(number) AS numbers
FROM raw
ARRAY JOIN `numbers.sequence_of` AS name, `numbers.sequence` AS number
GROUP BY connection, sequence_of, day, block;

CREATE MATERIALIZED VIEW heard_raw_mv TO heard AS
SELECT connection, received_at, toDateTime64(0, 3, 'UTC') AS watermark, max(received_at) AS last_at, toUInt64(0) AS events
FROM raw
WHERE outcome IN ('mapped', 'partly')
GROUP BY connection, received_at;

CREATE MATERIALIZED VIEW heard_latest_raw_mv TO heard_latest AS
SELECT connection, max(received_at) AS last_at
FROM raw
WHERE outcome IN ('mapped', 'partly')
GROUP BY connection;

-- Orders that wait for a feed are looked for in every tick, closed ones too.
ALTER TABLE orders ADD INDEX IF NOT EXISTS waits_idx notEmpty(waits_for) TYPE set(2) GRANULARITY 1;
ALTER TABLE orders MATERIALIZE INDEX waits_idx;
