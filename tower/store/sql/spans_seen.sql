-- What is new to the reader of spans. Parameter: after. One row: how far it reaches, how much of it there is to do, and
-- whether any work ever failed, and any span ever linked to another.
SELECT
    max(stored_at) AS until, countIf(failed) AS failures, countIf(notEmpty(object_types)) AS named,
    countIf(reports != '' AND NOT failed) AS reported,
    (SELECT count() FROM failed_hops) AS failed_ever, (SELECT count() FROM span_links) AS linked_ever
FROM order_spans
WHERE stored_at > {after:DateTime64(3, 'UTC')}
