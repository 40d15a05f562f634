-- What was answered to a request for an action, for its repeats. Parameter: action_id. One row or none.
SELECT request_hash, reply FROM actions WHERE action_id = {action_id:String} LIMIT 1
