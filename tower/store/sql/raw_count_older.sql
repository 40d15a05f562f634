-- How many bodies were stored before {before}. One row.
SELECT
    (SELECT count() FROM events WHERE stored_at < {before:DateTime64(3, 'UTC')} AND raw != '')
    + (SELECT count() FROM quarantine FINAL WHERE stored_at < {before:DateTime64(3, 'UTC')} AND raw != '')
    + (SELECT count() FROM raw WHERE stored_at < {before:DateTime64(3, 'UTC')} AND body != '') AS bodies
