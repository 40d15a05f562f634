-- Note how far the engine came, and that it lives. Parameters: cursor, now, owner.
INSERT INTO engine_cursor (name, stored_at, judged_at, ticked_at, owner)
SELECT 'engine', {cursor:DateTime64(3, 'UTC')}, {now:DateTime64(3, 'UTC')}, {now:DateTime64(3, 'UTC')}, {owner:String}
