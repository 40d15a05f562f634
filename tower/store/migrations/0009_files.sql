-- Files are messages with method FILE; few among many, so that finding one by its content must not read all.
ALTER TABLE raw ADD INDEX IF NOT EXISTS method_idx method TYPE set(4) GRANULARITY 4;
-- Rows of a batch file that say what they said before.
ALTER TABLE raw ADD COLUMN IF NOT EXISTS unchanged UInt32;

-- The last state of each row that files of a connection tell of. key and hash are of its natural key and of what it
-- says; version rises with each file.
CREATE TABLE file_rows
(
    connection LowCardinality(String),
    key        UInt64,
    hash       UInt64,
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (connection, key)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
