-- Empty the quarantined bodies stored before {before}.
ALTER TABLE quarantine UPDATE raw = '' WHERE stored_at < {before:DateTime64(3, 'UTC')} AND raw != ''
