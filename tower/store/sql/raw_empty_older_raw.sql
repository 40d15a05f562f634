-- Empty the native messages stored before {before}: body, headers and query.
ALTER TABLE raw UPDATE body = '', headers = map(), query = map()
WHERE stored_at < {before:DateTime64(3, 'UTC')} AND (body != '' OR notEmpty(headers) OR notEmpty(query))
