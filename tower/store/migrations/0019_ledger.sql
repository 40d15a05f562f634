-- What the tower earned, line by line. Append-only: a correction is another line. kind: estimate (against untreated
-- twins, by period and stage; the latest of a period counts) or realized (one verified act; lines of an item add up).
CREATE TABLE value_ledger
(
    entry_id    String,
    computed_at DateTime64(3, 'UTC'),
    kind        LowCardinality(String),
    figure      LowCardinality(String),      -- hours_saved, moved_share, capital_saved; of realized lines: moved
    since       DateTime64(3, 'UTC'),        -- the period, of a realized line from the act to its proof
    until       DateTime64(3, 'UTC'),
    stage       LowCardinality(String),
    item_id     String,                      -- of a realized line
    order_id    String,
    value       Nullable(Float64),           -- null: refused, see reason
    low         Nullable(Float64),
    high        Nullable(Float64),
    amount      Nullable(Decimal(38, 6)),    -- of a realized line: what moved, in the reporting currency
    treated     UInt32,                      -- orders' acts of the period, those that found twins, and the twins
    matched     UInt32,
    twins       UInt32,
    reason      String,
    currency    LowCardinality(String),
    rate_date   String,                      -- the latest dated rate of the book
    book        String
)
ENGINE = MergeTree
ORDER BY (kind, computed_at, entry_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
