"""kill -9 between any two writes of alerting, again and again: nothing lost, nothing doubled."""

from __future__ import annotations

import random
from pathlib import Path

from bench.figure import Figure
from tests.alerts.kill import POINTS, live_through

NAME = "faults"
_PER_HISTORY = 5


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Two hundred kills (ten when quick) at seeded random points over histories of which all that was told is known."""
    rng = random.Random(7)
    wanted, killed, number = (10 if quick else 200), 0, 0
    wrong: list[str] = []
    while killed < wanted and number < 2 * wanted:
        home = folder / f"history-{number}"
        home.mkdir()
        points = [f"{rng.choice(POINTS)}:{rng.randint(1, 3)}" for _ in range(_PER_HISTORY)]
        died, found = live_through(home, points)
        killed, number = killed + died, number + 1
        wrong += [f"{' '.join(points)}: {line}" for line in found]
    return [
        Figure(NAME, "notices lost, doubled or unaudited", f"{len(wrong)} after {killed} kills in {number} histories",
               float(len(wrong)), at_most=0, note=wrong[0][:100] if wrong else ""),
    ]  # fmt: skip
