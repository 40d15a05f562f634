-- A fact knows the message and mapping it was made from, and which version of the source's state it tells: of two that
-- happened at one moment the newer version says what an order's attributes are.
ALTER TABLE case_facts ADD COLUMN IF NOT EXISTS raw_id String;
ALTER TABLE case_facts ADD COLUMN IF NOT EXISTS mapping LowCardinality(String);
ALTER TABLE case_facts ADD COLUMN IF NOT EXISTS source_version UInt64;
