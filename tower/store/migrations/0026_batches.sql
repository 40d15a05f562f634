-- What was frozen when an action was confirmed: how careful it is and in which waves it goes. Written before its items.
CREATE TABLE batches
(
    action_id      String,
    safety         LowCardinality(String),   -- R0 to R3, the highest of its items
    least_verified Float64,                  -- share of a wave that must be verified before the next one goes
    waves          Array(UInt32),            -- sizes; one wave: everything goes at once and nothing stops it
    filter         String,                   -- JSON of the filter that chose the orders, '' for a list of them
    orders         Array(String),            -- the orders that were meant, whatever became of each
    frozen_at      DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(frozen_at)
ORDER BY action_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Which wave of its batch an item goes with; from 0. Ranked by priority, then value.
CREATE TABLE batch_items
(
    action_id String,
    item_id   String,
    rank      UInt32,
    wave      UInt32,
    frozen_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(frozen_at)
ORDER BY (action_id, item_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What people and the engine said about a batch since: approve, pause, resume, cancel, stop. The last one counts.
-- Each is in the audit before it is here.
CREATE TABLE batch_steps
(
    action_id String,
    seq       UInt32,                        -- from 1, without a gap
    step      LowCardinality(String),
    actor     String,
    reason    String,
    wave      UInt32,                        -- that had come to its turn
    at        DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (action_id, seq)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
