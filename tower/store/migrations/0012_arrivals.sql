-- A journal line on its way to `events`: the engine reads it here and keeps nothing here. Most events name one object of
-- a type, by its id alone; which of them holds the fact and how they hang together is worked out below, by the rules of
-- rules.vocabulary. An event with lists of ids or links of its own brings the finished columns in `objects` instead.
-- A column that lines bring as it is needs only to exist here and in `events`.
CREATE TABLE arrivals
(
    received_at           DateTime64(3, 'UTC'),
    connection            LowCardinality(String),
    kind                  LowCardinality(String),
    source                String,
    event_id              String,
    ev                    UInt64 DEFAULT sipHash64(source, event_id),
    type                  LowCardinality(String),
    milestone             LowCardinality(String),
    polarity              LowCardinality(String),
    occurred_at           DateTime64(3, 'UTC'),
    order_id              String,
    order_line_id         String,
    fulfillment_id        String,
    shipment_id           String,
    invoice_id            String,
    payment_id            String,
    return_id             String,
    credit_memo_id        String,
    inventory_position_id String,
    load_id               String,
    case_id               String,
    document_id           String,
    objects               Tuple(
        on_types     Array(LowCardinality(String)),
        on_ids       Array(String),
        child_types  Array(LowCardinality(String)),
        child_ids    Array(String),
        parent_types Array(LowCardinality(String)),
        parent_ids   Array(String),
        relations    Array(LowCardinality(String)),
        retracts     Array(UInt8)),
    amount                Nullable(Decimal(38, 6)),
    quantity              Nullable(Decimal(38, 6)),
    currency              LowCardinality(String),
    customer_id           String,
    customer_tier         LowCardinality(String),
    channel               LowCardinality(String),
    order_type            LowCardinality(String),
    company               LowCardinality(String),
    warehouse             LowCardinality(String),
    partner               LowCardinality(String),
    promised_at           Nullable(DateTime64(3, 'UTC')),
    requested_at          Nullable(DateTime64(3, 'UTC')),
    reason                String,
    error                 String,
    attributes            Map(LowCardinality(String), String),
    traceparent           String,  -- as it came; events keep the trace id of a valid one
    sequence_of           LowCardinality(String),
    sequence              UInt64,
    quarantine            LowCardinality(String),
    quarantine_detail     String,
    raw                   String,
    raw_id                String,
    mapping               LowCardinality(String),
    source_version        UInt64,
    rank                  UInt64,

    -- Types are numbered 1 to 12 from the order down. Bit m of a type's number is set if it may hang from type m.
    ids    Array(String) MATERIALIZED [order_id, order_line_id, fulfillment_id, shipment_id, invoice_id, payment_id,
        return_id, credit_memo_id, inventory_position_id, load_id, case_id, document_id],
    named  Array(UInt8)  MATERIALIZED arrayFilter((n, id) -> id != '', range(1, 13), ids),
    bits   UInt16        MATERIALIZED arraySum(arrayMap(n -> bitShiftLeft(1, n), named)),
    -- The type that each named one hangs from, 0 for none. A nearer one has a higher number: it is the highest bit.
    ups    Array(UInt8)  MATERIALIZED arrayMap(n -> toUInt8(log2(1 + bitAnd(bits, [0, 2, 6, 14, 30, 62, 6, 134, 6, 30, 254, 126][n]))), named)
)
ENGINE = Null;

CREATE MATERIALIZED VIEW arrivals_mv TO events AS
WITH
    ['order', 'order_line', 'fulfillment', 'shipment', 'invoice', 'payment', 'return', 'credit_memo',
     'inventory_position', 'load', 'case', 'document'] AS types,
    ['', 'contains', 'fulfills', 'ships', 'bills', 'pays', 'returns', 'credits',
     'supplies', 'carries', 'concerns', 'documents'] AS words,
    arrayFilter((n, up) -> up > 0, named, ups) AS children,
    arrayFilter(up -> up > 0, ups) AS uppers,
    arrayFilter(n -> NOT has(ups, n), named) AS lowest
SELECT
    * EXCEPT (order_id, order_line_id, fulfillment_id, shipment_id, invoice_id, payment_id, return_id, credit_memo_id,
              inventory_position_id, load_id, case_id, document_id, objects, traceparent),
    arrayConcat(arrayMap(n -> types[n], lowest), objects.on_types) AS on_types,
    arrayConcat(arrayMap(n -> ids[n], lowest), objects.on_ids) AS on_ids,
    arrayConcat(arrayMap(n -> types[n], children), objects.child_types) AS child_types,
    arrayConcat(arrayMap(n -> ids[n], children), objects.child_ids) AS child_ids,
    arrayConcat(arrayMap(n -> types[n], uppers), objects.parent_types) AS parent_types,
    arrayConcat(arrayMap(n -> ids[n], uppers), objects.parent_ids) AS parent_ids,
    arrayConcat(arrayMap(n -> words[n], children), objects.relations) AS relations,
    arrayConcat(arrayMap(n -> 0::UInt8, children), objects.retracts) AS retracts,
    -- W3C trace context: version 00 has four parts, a later one may have more, and no part is all zero.
    if(match(traceparent, '^(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$|(0[1-9a-f]|[1-9a-e][0-9a-f]|f[0-9a-e])-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-|$))')
        AND substring(traceparent, 4, 32) != '00000000000000000000000000000000'
        AND substring(traceparent, 37, 16) != '0000000000000000',
        substring(traceparent, 4, 32), '') AS trace_id
FROM arrivals;
