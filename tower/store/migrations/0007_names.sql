-- The further names under which objects of an order are known, as last judged: name stands for target.
ALTER TABLE orders
    ADD COLUMN `names.name` Array(UInt64),
    ADD COLUMN `names.object_type` Array(LowCardinality(String)),
    ADD COLUMN `names.name_id` Array(String),
    ADD COLUMN `names.target` Array(UInt64),
    ADD COLUMN `names.target_id` Array(String);

ALTER TABLE orders ADD INDEX names_idx `names.name_id` TYPE bloom_filter(0.01) GRANULARITY 1;
