-- Changes are kept for a month from when they were stored, whatever the engine's clock said then.
ALTER TABLE breach_changes ADD COLUMN IF NOT EXISTS stored_at DateTime('UTC') DEFAULT now('UTC');
ALTER TABLE breach_changes MODIFY TTL stored_at + INTERVAL 30 DAY;
