-- Everything that messages have looked like. One row: one trait in the columns of tower.store.shapes.Trait; no order.
SELECT connection, topic, kind, path, value, first_at, last_at, messages, drifted, was, raw_id
FROM shapes FINAL
