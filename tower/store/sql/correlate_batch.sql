-- The usable events stored in (after, until]. Parameters: after, until. One row: one event; no order.
SELECT * EXCEPT (raw, attributes, quarantine, quarantine_detail, type, rank)
FROM events
WHERE stored_at > {after:DateTime64(3, 'UTC')} AND stored_at <= {until:DateTime64(3, 'UTC')}
    AND quarantine = '' AND milestone != ''
