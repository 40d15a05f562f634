-- Empty the bodies of every event of the orders of {customer_id}.
ALTER TABLE events UPDATE raw = ''
WHERE raw != '' AND (customer_id = {customer_id:String} OR ev IN (
    SELECT ev FROM case_facts WHERE order_no IN (
        SELECT order_no FROM case_facts WHERE order_no != 0 AND customer_id = {customer_id:String})))
