-- What the engine derives. Keys are 64-bit hashes of (type, id); an order also has a dense number, given at first
-- sight, so that today's orders lie together. Everything under case 0 belongs to no order yet (orphans).

CREATE TABLE order_numbers
(
    object   UInt64,
    order_no UInt64,
    order_id String
)
ENGINE = ReplacingMergeTree
ORDER BY object
SETTINGS index_granularity = 1024;

-- The same the other way round; written first, so that a number is never given twice.
CREATE TABLE order_objects
(
    order_no UInt64,
    object   UInt64,
    order_id String
)
ENGINE = ReplacingMergeTree
ORDER BY order_no
SETTINGS index_granularity = 1024;

-- Every object with each case it has ever been linked under; links that were retracted still count here.
CREATE TABLE object_cases
(
    object      UInt64,
    order_no    UInt64,
    object_type LowCardinality(String),
    object_id   String
)
ENGINE = ReplacingMergeTree
ORDER BY (object, order_no)
SETTINGS index_granularity = 1024;

-- Each fact under each case of the object it is kept on. The earliest report of the same content stays.
CREATE TABLE case_facts
(
    order_no      UInt64,
    object        UInt64,
    object_type   LowCardinality(String),
    object_id     String,
    ev            UInt64,
    body          UInt64,
    event_id      String,
    source        String,
    connection    LowCardinality(String),
    kind          LowCardinality(String),
    milestone     LowCardinality(String),
    polarity      LowCardinality(String),
    occurred_at   DateTime64(3, 'UTC'),
    received_at   DateTime64(3, 'UTC'),
    amount        Nullable(Decimal(38, 6)),
    quantity      Nullable(Decimal(38, 6)),
    currency      LowCardinality(String),
    customer_id   String,
    customer_tier LowCardinality(String),
    channel       LowCardinality(String),
    order_type    LowCardinality(String),
    company       LowCardinality(String),
    warehouse     LowCardinality(String),
    partner       LowCardinality(String),
    promised_at   Nullable(DateTime64(3, 'UTC')),
    requested_at  Nullable(DateTime64(3, 'UTC')),
    reason        String,
    error         String,
    trace_id      String,
    earliest      UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(received_at))
)
ENGINE = ReplacingMergeTree(earliest)
ORDER BY (order_no, object, milestone, polarity, ev, body)
SETTINGS index_granularity = 1024;

-- Each statement that one object hangs from another, under each case of the child. The latest statement counts.
CREATE TABLE case_links
(
    order_no    UInt64,
    child       UInt64,
    child_type  LowCardinality(String),
    child_id    String,
    parent      UInt64,
    parent_type LowCardinality(String),
    parent_id   String,
    relation    LowCardinality(String),
    retract     UInt8,
    ev          UInt64,
    body        UInt64,
    event_id    String,
    source      String,
    occurred_at DateTime64(3, 'UTC'),
    received_at DateTime64(3, 'UTC'),
    earliest    UInt64 MATERIALIZED 18446744073709551615 - toUInt64(toUnixTimestamp64Milli(received_at))
)
ENGINE = ReplacingMergeTree(earliest)
ORDER BY (order_no, parent, child, ev, body, retract)
SETTINGS index_granularity = 1024;

-- Bodies that lost against another body under the same identity (the smaller hash wins, whatever came first).
CREATE TABLE conflicts
(
    ev   UInt64,
    body UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (ev, body);

-- Objects that would reach more than 5,000 orders: they attach to none.
CREATE TABLE wide_objects
(
    object      UInt64,
    object_type LowCardinality(String),
    object_id   String,
    orders      UInt64
)
ENGINE = ReplacingMergeTree(orders)
ORDER BY object;

-- One row per order, replaced as a whole with its clocks, so that a board never shows half a verdict.
CREATE TABLE orders
(
    order_no         UInt64,
    order_id         String,
    on_board         UInt8,                  -- a start milestone was heard
    state            LowCardinality(String),
    closed_at        Nullable(DateTime64(3, 'UTC')),
    started_at       Nullable(DateTime64(3, 'UTC')),   -- first start milestone
    stage            LowCardinality(String), -- of the worst clock, '' if none
    object_type      LowCardinality(String),
    object_id        String,
    since            Nullable(DateTime64(3, 'UTC')),
    due_at           Nullable(DateTime64(3, 'UTC')),
    budget_s         Nullable(Int64),
    priority         LowCardinality(String),
    amount           Nullable(Decimal(38, 6)),
    currency         LowCardinality(String),
    reporting_amount Nullable(Decimal(38, 6)),
    value_at_risk    Nullable(Decimal(38, 6)),
    quantity         Nullable(Decimal(38, 6)),
    customer_id      String,
    customer_tier    LowCardinality(String),
    channel          LowCardinality(String),
    order_type       LowCardinality(String),
    company          LowCardinality(String),
    warehouse        LowCardinality(String),
    partner          LowCardinality(String),
    promised_at      Nullable(DateTime64(3, 'UTC')),
    requested_at     Nullable(DateTime64(3, 'UTC')),
    system           LowCardinality(String), -- authority of the awaited milestone
    error            String,
    last_milestone   LowCardinality(String),
    last_at          Nullable(DateTime64(3, 'UTC')),
    next_milestone   LowCardinality(String),
    facts            UInt64,                 -- hash of the facts judged
    version          String,                 -- changes with facts, state or worst clock, never with age
    next_at          DateTime64(3, 'UTC'),   -- when time alone can next change a verdict; far future if never
    waits_for        Array(LowCardinality(String)),  -- system kinds whose feed must be heard before a verdict ...
    waits_until      Array(DateTime64(3, 'UTC')),    -- ... past these instants
    clocks Nested
    (
        rule           LowCardinality(String),
        object         UInt64,
        object_type    LowCardinality(String),
        object_id      String,
        from_milestone LowCardinality(String),
        to_milestone   LowCardinality(String),
        from_event     UInt64,
        to_event       UInt64,
        started_at     DateTime64(3, 'UTC'),
        stopped_at     Nullable(DateTime64(3, 'UTC')),
        due_at         Nullable(DateTime64(3, 'UTC')),
        at_risk_at     Nullable(DateTime64(3, 'UTC')),
        budget_s       Nullable(Int64),
        used_s         Nullable(Int64),      -- of a clock that no longer runs; null while running
        calendar       LowCardinality(String),
        pauses         Array(Tuple(DateTime64(3, 'UTC'), Nullable(DateTime64(3, 'UTC')))),
        state          LowCardinality(String),  -- running, paused, stopped, ended
        verdict        LowCardinality(String),  -- order state this clock stands for; '' when it stands for none
        provisional    UInt8,
        system         LowCardinality(String),
        error          String
    ),
    book      LowCardinality(String),
    judged_at DateTime64(3, 'UTC'),
    INDEX open_idx on_board AND closed_at IS NULL TYPE set(2) GRANULARITY 1,
    INDEX next_idx next_at TYPE minmax GRANULARITY 1,
    INDEX id_idx order_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(judged_at)
ORDER BY order_no
SETTINGS index_granularity = 1024;

-- Findings with a life. state: open, resolved, retracted. A retraction belongs to what we knew, not to what was.
CREATE TABLE breaches
(
    order_no     UInt64,
    order_id     String,
    rule         LowCardinality(String),
    kind         LowCardinality(String),
    object       UInt64,
    object_type  LowCardinality(String),
    object_id    String,
    breach_id    String,
    state        LowCardinality(String),
    opened_at    DateTime64(3, 'UTC'),
    detected_at  DateTime64(3, 'UTC'),
    resolved_at  Nullable(DateTime64(3, 'UTC')),
    retracted_at Nullable(DateTime64(3, 'UTC')),
    milestone    LowCardinality(String),
    system       LowCardinality(String),
    error        String,
    evidence     String,                     -- JSON: events, instants, seconds, pauses
    book         LowCardinality(String),
    updated_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (order_no, rule, kind, object)
SETTINGS index_granularity = 1024;

-- Every verdict ever written, also those a later fact, link or rulebook changed: what we said, and when.
CREATE TABLE breach_history
(
    order_no     UInt64,
    order_id     String,
    rule         LowCardinality(String),
    kind         LowCardinality(String),
    object_type  LowCardinality(String),
    object_id    String,
    breach_id    String,
    state        LowCardinality(String),
    opened_at    DateTime64(3, 'UTC'),
    resolved_at  Nullable(DateTime64(3, 'UTC')),
    book         LowCardinality(String),
    updated_at   DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (order_no, rule, updated_at);

CREATE MATERIALIZED VIEW breach_history_mv TO breach_history AS
SELECT order_no, order_id, rule, kind, object_type, object_id, breach_id, state, opened_at, resolved_at, book, updated_at
FROM breaches;

-- How far the engine has read, and when it last ticked. Written last in a tick.
CREATE TABLE engine_cursor
(
    name       LowCardinality(String),
    stored_at  DateTime64(3, 'UTC'),
    judged_at  DateTime64(3, 'UTC'),
    ticked_at  DateTime64(3, 'UTC'),
    owner      String
)
ENGINE = ReplacingMergeTree(ticked_at)
ORDER BY name;

-- Rulebooks as they came into force.
CREATE TABLE books
(
    hash      String,
    kinds     Array(String),                 -- system kinds with a connection; they decide who has the word
    loaded_at DateTime64(3, 'UTC'),
    text      String                         -- JSON object: file name -> YAML text
)
ENGINE = MergeTree
ORDER BY loaded_at;

-- Day arrays of each calendar of each rulebook; see rules/calendar.py for the arithmetic.
CREATE TABLE calendar_index
(
    calendar   String,                       -- '<name>@<hash of the resolved dates>'
    first_day  Int32,                        -- UTC day number of the first element
    before_ms  Array(Int64),                 -- open ms before each UTC day; one element more than days
    spans      Array(Array(Tuple(Int32, Int32))),  -- open spans of each UTC day, ms of the day
    open_days  Array(Int32),                 -- offsets of the UTC days that open at all
    bucket_ms  Int64,
    bucket     Array(Int32)                  -- for each bucket of open time, the first position in open_days to look at
)
ENGINE = ReplacingMergeTree
ORDER BY calendar;
