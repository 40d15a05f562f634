-- Facts of subscriptions. Parameters: owner ('': anybody's), id ('': all). One row: one fact. Order: subscription, then as
-- they came.
SELECT subscription_id, revision, fact, owner, actor, at, body
FROM subscription_facts
WHERE ({id:String} = '' OR subscription_id = {id:String})
    AND ({owner:String} = '' OR subscription_id IN (SELECT subscription_id FROM subscription_facts WHERE owner = {owner:String}))
ORDER BY subscription_id, revision
