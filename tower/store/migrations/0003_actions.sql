-- What people asked for and what became of it. All of it is synced before an answer or an act.
CREATE TABLE actions
(
    action_id       String,
    kind            LowCardinality(String),
    requested_at    DateTime64(3, 'UTC'),
    requested_by    String,
    stage           LowCardinality(String),
    reason          String,
    idempotency_key String,
    request_hash    String,
    reply           String                   -- JSON answered to the request, for its repeats
)
ENGINE = MergeTree
ORDER BY (requested_at, action_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE action_items
(
    action_id    String,
    item_id      String,                     -- hash of (action, order, stage, object)
    rule_action  LowCardinality(String),     -- id of the action in the rulebook
    kind         LowCardinality(String),
    order_no     UInt64,
    order_id     String,
    object       UInt64,
    object_type  LowCardinality(String),
    object_id    String,
    stage        LowCardinality(String),
    seen_version String,
    error        String,                     -- of the order when it was asked for
    amount       Nullable(Decimal(38, 6)),
    contract     String,                     -- JSON: verify and policy as they were when it was asked for
    request      String,                     -- JSON: what goes on the wire, without secrets; fixed by the first claim
    ordinal      UInt32,                     -- how often this act was begun for this object, this time included
    state        LowCardinality(String),
    attempts     UInt32,                     -- sends of this item, the one under way included
    attempt_key  String,                     -- Idempotency-Key on the wire; kept until a definite answer
    requested_by String,
    requested_at DateTime64(3, 'UTC'),
    noted_at     Nullable(DateTime64(3, 'UTC')),  -- before the request was sent; only facts received later verify
    sent_at      Nullable(DateTime64(3, 'UTC')),
    accepted_at  Nullable(DateTime64(3, 'UTC')),
    verify_by    Nullable(DateTime64(3, 'UTC')),
    next_at      Nullable(DateTime64(3, 'UTC')),
    finished_at  Nullable(DateTime64(3, 'UTC')),
    status_code  UInt16,
    detail       String,
    updated_at   DateTime64(3, 'UTC'),
    revision     UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (action_id, item_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Append-only and chained: hash = sha256 of the previous hash and this row. Written by the engine alone.
CREATE TABLE audit
(
    seq      UInt64,
    at       DateTime64(3, 'UTC'),
    actor    String,
    act      LowCardinality(String),
    subject  String,
    why      String,
    detail   String,                         -- JSON
    previous String,
    hash     String,
    INDEX subject_idx subject TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY seq
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Named bearer keys; only the hash of a token is kept.
CREATE TABLE keys
(
    name        String,
    token_hash  String,
    roles       Array(LowCardinality(String)),
    connections Array(String),
    created_at  DateTime64(3, 'UTC'),
    revoked_at  Nullable(DateTime64(3, 'UTC')),
    revision    UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
