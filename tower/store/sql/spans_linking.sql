-- Traces in which a link makes a failure, or the success after one, that of an object. Parameter: after. One row: one
-- trace; no order. First: a span of a trace that links to a trace with a new name. Second: a new span with links.
-- Either is one that failed, or that does the work of one which failed so.
WITH linked_work AS (SELECT service, name FROM failed_hops WHERE signal = 'link')
SELECT DISTINCT trace_id
FROM order_spans
WHERE notEmpty(link_traces) AND (failed OR (service, name) IN (SELECT service, name FROM linked_work))
    AND
    (
        stored_at > {after:DateTime64(3, 'UTC')}
        OR trace_id IN
        (
            SELECT trace_id
            FROM span_links
            WHERE linked_trace IN
            (
                SELECT trace_id FROM order_spans WHERE stored_at > {after:DateTime64(3, 'UTC')} AND notEmpty(object_types)
            )
        )
    )
