-- Figures of a window before the tower went live, as they were when somebody locked them. Never changed: another
-- baseline is another row, and the latest counts.
CREATE TABLE value_baselines
(
    baseline_id String,
    locked_at   DateTime64(3, 'UTC'),
    locked_by   String,
    reason      String,
    since       DateTime64(3, 'UTC'),
    until       DateTime64(3, 'UTC'),
    currency    LowCardinality(String),
    book        String,
    figures     String                       -- JSON, as GET /v1/roi tells them
)
ENGINE = MergeTree
ORDER BY (locked_at, baseline_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
