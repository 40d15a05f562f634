-- The stuck clocks of some orders at this moment, those that nobody holds. Parameters: order_nos, stuck (states). One row: (order_no, rule, object).
SELECT order_no, toString(clock.1) AS rule, clock.2 AS object
FROM orders FINAL
ARRAY JOIN arrayZip(clocks.rule, clocks.object, clocks.verdict) AS clock
WHERE order_no IN {order_nos:Array(UInt64)} AND on_board AND closed_at IS NULL AND held_by = ''
    AND has({stuck:Array(String)}, toString(clock.3))
