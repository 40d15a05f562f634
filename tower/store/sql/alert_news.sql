-- Whether there is anything to look at. Parameter: since. One row: how many breaches changed after it, the latest word of
-- people about alerts and silences, what tells whether subscriptions or keys have changed, and the targets whose breaker is open or lets single calls through to see.
SELECT
    (SELECT count() FROM breach_changes WHERE updated_at > {since:DateTime64(3, 'UTC')}) AS changes,
    greatest((SELECT max(revision) FROM alert_acks), (SELECT max(revision) FROM silences)) AS said,
    (SELECT max(revision) FROM subscription_facts) AS subscribed,
    (SELECT sum(cityHash64(name, revision)) FROM keys) AS keys_now,
    (SELECT groupArray((target, opened_at, said)) FROM target_states FINAL WHERE state IN ('open', 'half_open')) AS down
