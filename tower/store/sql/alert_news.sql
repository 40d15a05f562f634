-- Whether there is anything to look at. Parameter: since. One row: what, and a number that tells: how many breaches changed
-- after it, the latest word of people about alerts, silences and subscriptions, what changes with the keys; beside `down`
-- the targets whose breaker is open or lets single calls through to see. A union costs half of what scalar subqueries do.
SELECT 'changes' AS what, count() AS number, CAST([] AS Array(Tuple(String, Nullable(DateTime64(3, 'UTC')), String))) AS targets
FROM breach_changes
WHERE updated_at > {since:DateTime64(3, 'UTC')}
UNION ALL
SELECT 'acks', max(revision), [] FROM alert_acks
UNION ALL
SELECT 'silences', max(revision), [] FROM silences
UNION ALL
SELECT 'subscribed', max(revision), [] FROM subscription_facts
UNION ALL
SELECT 'keys', sum(cityHash64(name, revision)), [] FROM keys
UNION ALL
SELECT 'down', 0, groupArray((target, opened_at, said)) FROM target_states FINAL WHERE state IN ('open', 'half_open')
