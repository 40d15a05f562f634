-- What objects of the order have for themselves, as last judged: with all that each lies under. '' where the order's holds.
ALTER TABLE orders
    ADD COLUMN own Array(Tuple(object UInt64, object_type String, above Array(UInt64), company String, warehouse String,
        partner String, channel String, order_type String));
