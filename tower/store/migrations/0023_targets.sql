-- What is known of each target of actions, so that a restart does not forget whom it leaves alone.
CREATE TABLE target_states
(
    target          String,
    state           LowCardinality(String),           -- closed, open, half_open
    failures        UInt32,                           -- failed calls in a row that reached the target
    opens           UInt32,                           -- times in a row that it opened; each doubles the pause
    opened_at       Nullable(DateTime64(3, 'UTC')),
    retry_at        Nullable(DateTime64(3, 'UTC')),   -- when one call is let through again
    well_at         Nullable(DateTime64(3, 'UTC')),   -- last call that was answered without a failure
    failed_at       Nullable(DateTime64(3, 'UTC')),
    unreached_since Nullable(DateTime64(3, 'UTC')),   -- no call got through to it since; says nothing about the breaker
    said            String,                           -- last answer or failure, without secrets
    updated_at      DateTime64(3, 'UTC'),
    revision        UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY target
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Every call and what came of it: the evidence of the page, and what budgets count after a restart.
CREATE TABLE target_calls
(
    target   LowCardinality(String),
    at       DateTime64(3, 'UTC'),                    -- when it went out
    call_id  String,                                  -- item#attempt, or probe/...
    verdict  LowCardinality(String),                  -- accepted, refused, unknown, unsent
    status   UInt16,
    took_ms  UInt32,
    said     String
)
ENGINE = MergeTree
ORDER BY (target, at, call_id)
TTL toDateTime(at) + INTERVAL 30 DAY;

-- Probes that people asked for; the engine makes each once.
CREATE TABLE target_probes
(
    target   String,
    asked_at DateTime64(3, 'UTC'),
    asked_by String
)
ENGINE = MergeTree
ORDER BY (asked_at, target)
TTL toDateTime(asked_at) + INTERVAL 30 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
