-- Empty the bodies stored before {before}.
ALTER TABLE events UPDATE raw = '' WHERE stored_at < {before:DateTime64(3, 'UTC')} AND raw != ''
