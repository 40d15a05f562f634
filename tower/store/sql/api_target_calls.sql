-- How targets were called lately. Parameters: now, since, windows (seconds), answers (how many to show). One row: one
-- target with the calls each window holds and the last answers, the latest first. No order.
SELECT
    target,
    arrayMap(s -> arrayCount(t -> t > subtractSeconds({now:DateTime64(3, 'UTC')}, s), groupArray(at)), {windows:Array(UInt32)}) AS used,
    arraySlice(
        arrayReverseSort(call -> call.1, groupArray((at, CAST(verdict AS String), status, took_ms, said))), 1, {answers:UInt8}
    ) AS answers
FROM target_calls
WHERE at > {since:DateTime64(3, 'UTC')}
GROUP BY target
