-- Empty the quarantined bodies that name {customer_id}.
ALTER TABLE quarantine UPDATE raw = '' WHERE raw != '' AND position(raw, {customer_id:String}) > 0
