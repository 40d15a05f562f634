-- The orders that hold any body of an identity in conflict. Parameters: ev.
INSERT INTO touched
SELECT DISTINCT order_no
FROM case_facts
WHERE order_no != 0 AND ev IN {ev:Array(UInt64)}
