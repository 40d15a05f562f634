-- What is said now about then against what was said then: verdicts that changed after the fact. where: over the columns below.
-- Parameters: since, until (of the change), min_s (how long after the fact at least), limit. The reason is what was new in
-- the tick that changed it: another book, a fact or a link received just before; else the feed that was waited for.
-- One row: one change of one verdict. Order: latest first.
WITH
    (SELECT groupArray((hash, loaded_at)) FROM books WHERE loaded_at > (SELECT min(loaded_at) FROM books)) AS loaded,
    changes AS
    (
        SELECT
            *,
            row_number() OVER history AS number,
            lagInFrame(state) OVER history AS said_state, lagInFrame(toNullable(opened_at)) OVER history AS said_opened_at,
            lagInFrame(resolved_at) OVER history AS said_resolved_at, lagInFrame(book) OVER history AS said_book,
            lagInFrame(toNullable(updated_at)) OVER history AS said_at
        FROM breach_history
        WHERE breach_id IN (SELECT breach_id FROM breach_history WHERE updated_at >= {since:DateTime64(3, 'UTC')} AND updated_at < {until:DateTime64(3, 'UTC')})
        WINDOW history AS (PARTITION BY breach_id ORDER BY updated_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    restated AS
    (
        SELECT
            *,
            said_at IS NOT NULL AND said_state != 'retracted' AS stood,
            multiIf(
                state = 'retracted', if(stood, 'retracted', ''),
                NOT stood, if(updated_at > opened_at + toIntervalSecond({min_s:UInt32}), if(number = 1, 'found_late', 'returned'), ''),
                opened_at != assumeNotNull(said_opened_at), 'moved',
                said_resolved_at IS NOT NULL AND resolved_at IS NULL, 'reopened',
                said_resolved_at IS NOT NULL AND assumeNotNull(resolved_at) != said_resolved_at, 'moved',
                said_resolved_at IS NULL AND ifNull(resolved_at < updated_at - toIntervalSecond({min_s:UInt32}), 0), 'ended_earlier',
                '') AS change
        FROM changes
        WHERE updated_at >= {since:DateTime64(3, 'UTC')} AND updated_at < {until:DateTime64(3, 'UTC')} AND change != ''
    ),
    heard AS
    (
        SELECT
            r.*, f.received_at AS fact_received_at, f.occurred_at AS fact_occurred_at, f.event_id AS fact_event_id,
            f.milestone AS fact_milestone, f.polarity AS fact_polarity, f.source AS fact_source
        FROM restated AS r
        ASOF LEFT JOIN (SELECT * FROM case_facts WHERE order_no IN (SELECT order_no FROM restated)) AS f
            ON f.order_no = r.order_no AND f.received_at <= r.updated_at
    ),
    linked AS
    (
        SELECT
            h.*, l.received_at AS link_received_at, l.child_type AS link_child_type, l.child_id AS link_child_id,
            l.parent_type AS link_parent_type, l.parent_id AS link_parent_id, l.event_id AS link_event_id
        FROM heard AS h
        ASOF LEFT JOIN (SELECT * FROM case_links WHERE order_no IN (SELECT order_no FROM restated)) AS l
            ON l.order_no = h.order_no AND l.received_at <= h.updated_at
    )
SELECT
    breach_id, order_id, rule, kind, object_type, object_id, change,
    said_state, said_opened_at, said_resolved_at, said_book, said_at, state, opened_at, resolved_at, book, updated_at,
    ifNull(said_at >= link_received_at, 0) AS link_was_known, ifNull(said_at >= fact_received_at, 0) AS fact_was_known,
    multiIf(
        said_at IS NOT NULL AND book != said_book, 'new_book',
        said_at IS NULL AND arrayExists(b -> b.1 = book AND b.2 <= updated_at AND b.2 > updated_at - INTERVAL 1 MINUTE, loaded), 'new_book',
        link_received_at > updated_at - INTERVAL 1 MINUTE AND link_received_at >= ifNull(fact_received_at, link_received_at)
            AND link_event_id != fact_event_id AND NOT link_was_known, 'late_link',
        fact_received_at > updated_at - INTERVAL 1 MINUTE AND NOT fact_was_known, 'late_event',
        'late_feed') AS reason,
    if(reason = 'late_event', fact_event_id, if(reason = 'late_link', link_event_id, '')) AS event_id,
    if(reason = 'late_event', concat(fact_milestone, if(fact_polarity = 'reached', '', concat('.', fact_polarity))), '') AS milestone,
    if(reason = 'late_event', fact_source, '') AS source, if(reason = 'late_event', fact_occurred_at, NULL) AS occurred_at,
    multiIf(reason = 'late_event', fact_received_at, reason = 'late_link', link_received_at, NULL) AS received_at,
    if(reason = 'late_link', concat(link_child_type, ' ', link_child_id, ' to ', link_parent_type, ' ', link_parent_id), '') AS link,
    leftPad(toString(toUnixTimestamp64Milli(updated_at)), 15, '0') AS page_key, concat(breach_id, change) AS page_id
FROM linked
WHERE $where
ORDER BY page_key DESC, page_id DESC
LIMIT {limit:UInt32}
