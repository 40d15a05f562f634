-- What people asked to hear of, as facts: created, changed, confirmed (the address said yes), ended. Never changed, only
-- added to. The audit has each before it is here.
CREATE TABLE subscription_facts
(
    subscription_id String,
    revision        UInt64,                            -- order of the facts of one subscription
    fact            LowCardinality(String),
    owner           String,                            -- name of the key whose subscription it is
    actor           String,                            -- who said so; 'link' for a signed link
    at              DateTime64(3, 'UTC'),
    body            String                             -- JSON: the wish; of confirmed: which address
)
ENGINE = MergeTree
ORDER BY (subscription_id, revision)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
