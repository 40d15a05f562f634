-- Native messages with a body of which an event belongs to {customer_id} or to one of its orders, whether or not another
-- message said the same before. One row: raw_id; no order.
SELECT raw_id
FROM raw
WHERE body != '' AND hasAny(stated,
(
    SELECT groupUniqArray(toUUIDOrZero(event_id))
    FROM events
    WHERE raw_id != '' AND (customer_id = {customer_id:String} OR ev IN (
        SELECT ev FROM case_facts WHERE order_no IN (
            SELECT order_no FROM case_facts WHERE order_no != 0 AND customer_id = {customer_id:String})))
))
