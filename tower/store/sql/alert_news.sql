-- Whether there is anything to look at. Parameter: since. One row: how many breaches changed after it, and the latest word
-- of people about alerts and silences.
SELECT
    (SELECT count() FROM breach_changes WHERE updated_at > {since:DateTime64(3, 'UTC')}) AS changes,
    greatest((SELECT max(revision) FROM alert_acks), (SELECT max(revision) FROM silences)) AS said
