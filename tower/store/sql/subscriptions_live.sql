-- Facts of the subscriptions that have not ended. One row: one fact. Order: subscription, then as they came.
SELECT subscription_id, revision, fact, owner, actor, at, body
FROM subscription_facts
WHERE subscription_id NOT IN (SELECT subscription_id FROM subscription_facts WHERE fact = 'ended')
ORDER BY subscription_id, revision
