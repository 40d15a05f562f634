-- What messages of each kind have looked like, so that a change is noticed; see tower/store/shapes.py.
CREATE TABLE shapes
(
    connection LowCardinality(String),
    topic      LowCardinality(String),
    kind       LowCardinality(String),
    path       String,
    value      String,
    first_at   DateTime64(3, 'UTC'),
    last_at    DateTime64(3, 'UTC'),
    messages   UInt64,
    drifted    UInt8,
    was        String,
    raw_id     String
)
ENGINE = ReplacingMergeTree(messages)
ORDER BY (connection, topic, kind, path, value)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
