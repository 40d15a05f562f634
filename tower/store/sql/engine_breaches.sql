-- The difference between the findings of the judged orders and what is stored for them. Parameters: now, known_at,
-- book. The shaped findings stand at the mark.
-- A finding keeps its breach while it lasts; one that moved away or vanished is retracted, never deleted.
INSERT INTO breaches
SELECT
    if(wanted.found, wanted.order_no, stored.order_no) AS order_no, if(wanted.found, wanted.order_id, stored.order_id),
    if(wanted.found, wanted.rule, stored.rule) AS rule, if(wanted.found, wanted.kind, stored.kind) AS kind,
    if(wanted.found, wanted.object, stored.object) AS object,
    if(wanted.found, wanted.object_type, stored.object_type), if(wanted.found, wanted.object_id, stored.object_id),
    if(wanted.found, wanted.breach_id, stored.breach_id),
    if(wanted.found, wanted.state, 'retracted') AS state,
    if(wanted.found, wanted.opened_at, stored.opened_at) AS opened_at,
    if(stored.state IN ('open', 'resolved'), stored.detected_at, {now:DateTime64(3, 'UTC')}) AS detected_at,
    if(wanted.found, wanted.resolved_at, stored.resolved_at) AS resolved_at,
    if(wanted.found, NULL, {now:DateTime64(3, 'UTC')}) AS retracted_at,
    if(wanted.found, wanted.milestone, stored.milestone), if(wanted.found, wanted.system, stored.system),
    if(wanted.found, wanted.error, stored.error), if(wanted.found, wanted.evidence, stored.evidence),
    {book:String}, {now:DateTime64(3, 'UTC')}
FROM
(
    SELECT *, 1 AS found
    FROM
    (
$findings
    )
) AS wanted
FULL JOIN (SELECT *, 1 AS found FROM breaches FINAL WHERE order_no IN (SELECT order_no FROM scope)) AS stored
    ON stored.order_no = wanted.order_no AND stored.rule = wanted.rule AND stored.kind = wanted.kind
    AND stored.object = wanted.object
WHERE (wanted.found AND (NOT stored.found OR wanted.state != stored.state OR wanted.opened_at != stored.opened_at
        OR ifNull(wanted.resolved_at != stored.resolved_at, 0) OR wanted.evidence != stored.evidence))
    OR (NOT wanted.found AND stored.state != 'retracted')
SETTINGS join_use_nulls = 0
