"""Bytes in, facts out: doors, decoders, journal and drain. What a fact means is decided elsewhere."""
