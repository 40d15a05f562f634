-- Keys that see a part of the orders, that end by themselves, and that are changed for new ones with an overlap.
ALTER TABLE keys ADD COLUMN IF NOT EXISTS scopes Array(String);                       -- `partner=acme`; none: all orders
ALTER TABLE keys ADD COLUMN IF NOT EXISTS expires_at Nullable(DateTime64(3, 'UTC'));  -- NULL: never
ALTER TABLE keys ADD COLUMN IF NOT EXISTS old_hash String;                            -- of the token before the last rotation
ALTER TABLE keys ADD COLUMN IF NOT EXISTS old_until Nullable(DateTime64(3, 'UTC'));   -- how long that one still works
