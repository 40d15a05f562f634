-- How well each rule alerts. Parameters: since, until. One row: one rule, of alerts that were told and closed in that time,
-- subscriptions left out.
-- lead_s: from the first notice to the promise of the order; ack_s and over_s: until somebody took it on, until it was over.
-- Order: most alerts first.
WITH
closed AS
(
    SELECT a.alert_id AS alert_id, a.first_at AS first_at, a.acknowledged_at AS acknowledged_at,
        if(ifNull(o.outcome, '') != '', o.outcome, a.outcome) AS outcome
    FROM
    (
        SELECT * FROM alerts FINAL
        WHERE first_at IS NOT NULL AND outcome != '' AND closed_at >= {since:DateTime64(3, 'UTC')}
            AND closed_at < {until:DateTime64(3, 'UTC')} AND NOT startsWith(receiver, 'subscription/')
    ) AS a
    LEFT JOIN (SELECT alert_id, outcome FROM alert_outcomes FINAL) AS o ON o.alert_id = a.alert_id
),
told AS
(
    SELECT alert_id, order_no, over_at, facts['rule'] AS rule FROM alert_breaches FINAL
    WHERE told > 0 AND alert_id IN (SELECT alert_id FROM closed)
)
SELECT
    t.rule AS rule, uniqExact(t.alert_id) AS alerts, count() AS breaches,
    uniqExactIf(t.alert_id, c.outcome = 'real') AS real,
    uniqExactIf(t.alert_id, c.outcome = 'self_healed') AS self_healed,
    uniqExactIf(t.alert_id, c.outcome = 'feed') AS feed,
    uniqExactIf(t.alert_id, c.outcome = 'duplicate') AS duplicate,
    round(real / alerts, 4) AS precision,
    toInt64(quantileExactIf(0.5)(dateDiff('second', c.first_at, o.promised_at), o.promised_at IS NOT NULL)) AS lead_s,
    countIf(o.promised_at IS NOT NULL) AS promised,
    toInt64(quantileExactIf(0.5)(dateDiff('second', c.first_at, c.acknowledged_at), c.acknowledged_at IS NOT NULL)) AS ack_s,
    uniqExactIf(t.alert_id, c.acknowledged_at IS NOT NULL) AS acknowledged,
    toInt64(quantileExactIf(0.5)(dateDiff('second', c.first_at, t.over_at), t.over_at IS NOT NULL)) AS over_s
FROM told AS t
INNER JOIN closed AS c ON c.alert_id = t.alert_id
LEFT JOIN (SELECT order_no, promised_at FROM orders FINAL WHERE order_no IN (SELECT order_no FROM told)) AS o ON o.order_no = t.order_no
GROUP BY rule
ORDER BY alerts DESC, rule
