-- What people said about orders by hand: held, assigned, noted, escalated, marked done; and what took it back. Append-only;
-- each is in the audit before it is here.
CREATE TABLE hand_facts
(
    fact_id     String,                          -- of the action's item that said it
    order_no    UInt64,
    order_id    String,
    what        LowCardinality(String),          -- held, assigned, noted, escalated, marked_done
    undo        UInt8,                           -- takes the earlier ones of its kind back
    by          String,
    assignee    String,
    said        String,                          -- why, or the note itself
    occurred_at DateTime64(3, 'UTC'),            -- when it was asked for
    received_at DateTime64(3, 'UTC'),            -- when the engine wrote it down
    earliest    UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(received_at)),
    INDEX received_idx received_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(earliest)
ORDER BY (order_id, fact_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE orders ADD COLUMN IF NOT EXISTS held_by String;        -- '' where nobody holds it
ALTER TABLE orders ADD COLUMN IF NOT EXISTS assignee String;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS escalated_by String;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS closed_by String;      -- who marked it done; '' where the facts closed it
