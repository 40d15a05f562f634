-- Take an address out of what subscriptions said. Parameters: old, new (as they stand in the text of a wish).
ALTER TABLE subscription_facts UPDATE body = replaceOne(body, {old:String}, {new:String})
WHERE fact IN ('created', 'changed') AND position(body, {old:String}) > 0
