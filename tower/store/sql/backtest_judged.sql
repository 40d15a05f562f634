-- The findings of both books side by side. Parameters: rules (of which what is the same counts too), kinds (only
-- these of these rules; all when empty). One row: one finding; no order.
INSERT INTO backtest_found
SELECT
    if(earlier.found, earlier.order_no, later.order_no) AS order_no, if(earlier.found, earlier.order_id, later.order_id),
    if(earlier.found, earlier.rule, later.rule) AS rule, if(earlier.found, earlier.kind, later.kind) AS kind,
    if(earlier.found, earlier.object, later.object), if(earlier.found, earlier.object_type, later.object_type),
    if(earlier.found, earlier.object_id, later.object_id),
    if(earlier.found, earlier.opened_at, NULL) AS old_opened_at, earlier.resolved_at AS old_resolved_at,
    if(later.found, later.opened_at, NULL) AS new_opened_at, later.resolved_at AS new_resolved_at
FROM (SELECT *, 1 AS found FROM old_findings) AS earlier
FULL JOIN (SELECT *, 1 AS found FROM new_findings) AS later
    ON later.order_no = earlier.order_no AND later.rule = earlier.rule AND later.kind = earlier.kind AND later.object = earlier.object
WHERE (empty({kinds:Array(String)}) OR has({rules:Array(String)}, rule) AND has({kinds:Array(String)}, kind))
    AND (has({rules:Array(String)}, rule) OR ifNull(old_opened_at != new_opened_at, 1)
        OR ifNull(old_resolved_at != new_resolved_at, isNull(old_resolved_at) != isNull(new_resolved_at)))
SETTINGS join_use_nulls = 0
