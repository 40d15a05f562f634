-- How many bodies belong to orders of {customer_id}, or are quarantined and name that id. One row.
SELECT
    (
        SELECT count() FROM events
        WHERE raw != '' AND (customer_id = {customer_id:String} OR ev IN (
            SELECT ev FROM case_facts WHERE order_no IN (
                SELECT order_no FROM case_facts WHERE order_no != 0 AND customer_id = {customer_id:String})))
    ) + (SELECT count() FROM quarantine FINAL WHERE raw != '' AND position(raw, {customer_id:String}) > 0) AS bodies
