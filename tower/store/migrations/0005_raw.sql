-- Messages as native systems sent them, kept before anything is made of them. One row is one message; its body is
-- sealed (AES-GCM, base64) and emptied when it is old or a person asks for it. outcome says what the first mapping
-- made of it; what later mappings make shows in `events` and `quarantine`.
CREATE TABLE raw
(
    raw_id      String,                       -- begins with the instant of arrival, so ids of one day lie together
    connection  LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    stored_at   DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    method      LowCardinality(String),
    headers     Map(LowCardinality(String), String),  -- those that are kept, lower case; never signatures or secrets
    query       Map(LowCardinality(String), String),
    size        UInt64,                       -- bytes of the body as it arrived, after decompression
    sha256      String,
    event_id    String,                       -- the sender's own id of the message, '' if it has none
    topic       String,                       -- what kind of message it says it is
    scheme      LowCardinality(String),       -- how it proved where it comes from
    body        String,
    outcome     LowCardinality(String),       -- mapped, quarantined, partly (some of each), ignored (no mapping wants it)
    mapping     String,                       -- name@version:hash8 of the mappings that read it
    events      UInt32,
    quarantined UInt32,
    stated      Array(UUID)                   -- ids of the events it states, also of those that were heard before
)
ENGINE = MergeTree
ORDER BY raw_id
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Where an event was made from, and which of several statements under one identity counts: reading a message again with
-- another mapping gives a higher rank, which supersedes. The rank is part of the content's hash; rank 0 leaves it alone.
ALTER TABLE events ADD COLUMN IF NOT EXISTS raw_id String;
ALTER TABLE events ADD COLUMN IF NOT EXISTS mapping LowCardinality(String);
ALTER TABLE events ADD COLUMN IF NOT EXISTS source_version UInt64;  -- the source's version of the state it tells
ALTER TABLE events ADD COLUMN IF NOT EXISTS rank UInt64;
ALTER TABLE events MODIFY COLUMN body UInt64 DEFAULT bitXor(sipHash64(
    type, occurred_at, on_types, on_ids, child_types, child_ids, parent_types, parent_ids, relations, retracts,
    ifNull(toString(amount), ''), ifNull(toString(quantity), ''), currency, customer_id, customer_tier, channel,
    order_type, company, warehouse, partner, ifNull(toString(promised_at), ''), ifNull(toString(requested_at), ''),
    reason, error, toString(attributes)), rank * 11400714819323198485);

ALTER TABLE identities ADD COLUMN IF NOT EXISTS rank UInt64;
ALTER TABLE identities ADD COLUMN IF NOT EXISTS mapping LowCardinality(String);
DROP VIEW IF EXISTS identities_mv;
CREATE MATERIALIZED VIEW identities_mv TO identities AS
SELECT ev, body, rank, mapping FROM events WHERE quarantine = '' AND milestone != '';

-- superseded: it lost because another one is newer, which is no mistake of anyone's.
ALTER TABLE conflicts ADD COLUMN IF NOT EXISTS superseded UInt8;

ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS raw_id String;
ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS mapping LowCardinality(String);
ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS note String;
DROP VIEW IF EXISTS quarantine_mv;
CREATE MATERIALIZED VIEW quarantine_mv TO quarantine AS
SELECT
    sipHash64(ev, body, quarantine) AS quarantine_id, received_at, stored_at, connection, source, event_id,
    type, quarantine AS reason, quarantine_detail AS detail, raw, raw_id, mapping
FROM events
WHERE quarantine != '';

-- Fetches that a handshake asks for; the engine alone carries them out, after an audit row. state: asked, done, failed.
CREATE TABLE fetches
(
    fetch_id   String,
    kind       LowCardinality(String),
    connection LowCardinality(String),
    url        String,
    asked_at   DateTime64(3, 'UTC'),
    state      LowCardinality(String),
    attempts   UInt32,
    next_at    DateTime64(3, 'UTC'),
    status     UInt16,
    detail     String,
    updated_at DateTime64(3, 'UTC'),
    revision   UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY fetch_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
