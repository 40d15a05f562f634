-- Traces with a new failure which name an object or link to a trace that may. Parameter: after. One row: one trace; no
-- order.
SELECT DISTINCT trace_id
FROM order_spans
WHERE trace_id IN (SELECT trace_id FROM order_spans WHERE stored_at > {after:DateTime64(3, 'UTC')} AND failed)
    AND (notEmpty(object_types) OR notEmpty(link_traces))
