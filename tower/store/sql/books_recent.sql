-- Rulebooks as they came into force. Parameter: limit. One row: hash, kinds, loaded_at, text; the latest first.
SELECT hash, kinds, loaded_at, text FROM books ORDER BY loaded_at DESC LIMIT {limit:UInt32}
