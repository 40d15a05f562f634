-- The orders that hold any body of an identity in conflict.
INSERT INTO touched
SELECT DISTINCT order_no
FROM case_facts
WHERE order_no != 0 AND ev IN (SELECT ev FROM conflicts WHERE ev IN (SELECT ev FROM batch))
