"""Measurements of the tower against plain engines on the same data, as ratios taken in one interleaved run."""
