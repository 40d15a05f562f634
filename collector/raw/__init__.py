"""Native messages after the door: kept sealed in a journal of their own, then mapped, then stored."""
