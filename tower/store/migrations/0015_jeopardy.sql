-- How long the clocks of a stage ran, as survival curves; see rules/odds.py. Every build adds a set of curves under one
-- instant and none is changed later, so that odds once shown can be made again.
CREATE TABLE curves
(
    built_at DateTime64(3, 'UTC'),
    rule     LowCardinality(String),         -- a stage, or '<milestone>.failed'
    segment  LowCardinality(String),         -- '' for the whole stage
    cases    UInt64,
    ended    UInt64,                         -- clocks that stopped by themselves; the others are cut off where last seen
    since    DateTime64(3, 'UTC'),           -- clocks that started from here on
    ends_ms  Int64,                          -- the longest open time any was seen to run
    at_ms    Array(Int64) CODEC(ZSTD(3)),
    alive    Array(Float64) CODEC(ZSTD(3)),  -- share that runs longer than at_ms
    watched  Array(UInt64) CODEC(ZSTD(3)),   -- clocks still running just before at_ms
    book     LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (built_at, rule, segment);

-- What the curves said of a running clock, once for each quarter of its time, and what became of it.
CREATE TABLE predictions
(
    rule       LowCardinality(String),
    order_no   UInt64,
    object     UInt64,
    quarter    UInt8,                        -- 0 to 3: which quarter of its time the clock was in
    made_at    DateTime64(3, 'UTC'),
    curve_at   DateTime64(3, 'UTC'),         -- built_at of the curve
    segment    LowCardinality(String),       -- of the curve
    used_ms    Int64,
    budget_ms  Int64,
    odds       Float64,
    outcome    LowCardinality(String),       -- '' while open; breached, kept, or gone: cancelled, treated, moved
    settled_at Nullable(DateTime64(3, 'UTC')),
    revision   UInt8                         -- 1 once settled
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (rule, order_no, object, quarter)
SETTINGS index_granularity = 1024;
