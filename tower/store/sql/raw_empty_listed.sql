-- Empty the native messages {raw_ids}: body, headers and query.
ALTER TABLE raw UPDATE body = '', headers = map(), query = map() WHERE raw_id IN {raw_ids:Array(String)} AND body != ''
