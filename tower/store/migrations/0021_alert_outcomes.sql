-- What people say became of an alert, where they know better than what was worked out when it closed.
CREATE TABLE alert_outcomes
(
    alert_id String,
    outcome  LowCardinality(String),
    by       String,
    note     String,
    at       DateTime64(3, 'UTC'),
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY alert_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
