"""How much generated tests try: a day's share, and as many times more as O2C_SEEDS says."""

from __future__ import annotations

import os

SEEDS = int(os.environ.get("O2C_SEEDS", "1"))
