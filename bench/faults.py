"""kill -9 between any two writes of alerting, and at any moment of acting, again and again: nothing lost or doubled."""

from __future__ import annotations

import random
from pathlib import Path

from bench.figure import Figure
from tests.actions import kill as acting
from tests.alerts.kill import POINTS, live_through

NAME = "faults"
_PER_HISTORY = 5


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Two hundred kills each (ten when quick) at seeded points over histories of which the right end is known."""
    return [_alerts(folder, 10 if quick else 200), _actions(folder, 10 if quick else 200)]


def _alerts(folder: Path, wanted: int) -> Figure:
    rng = random.Random(7)
    killed, number = 0, 0
    wrong: list[str] = []
    while killed < wanted and number < 2 * wanted:
        home = folder / f"history-{number}"
        home.mkdir()
        points = [f"{rng.choice(POINTS)}:{rng.randint(1, 3)}" for _ in range(_PER_HISTORY)]
        died, found = live_through(home, points)
        killed, number = killed + died, number + 1
        wrong += [f"{' '.join(points)}: {line}" for line in found]
    return _figure("notices lost, doubled or unaudited", wrong, killed, number)


def _actions(folder: Path, wanted: int) -> Figure:
    rng = random.Random(11)
    killed, number = 0, 0
    wrong: list[str] = []
    while killed < wanted and number < 2 * wanted:
        died, found = acting.live_through(folder / f"acting-{number}", rng, _PER_HISTORY)
        killed, number = killed + died, number + 1
        wrong += found
    return _figure("actions under a second key, unended or unaudited", wrong, killed, number)


def _figure(name: str, wrong: list[str], killed: int, number: int) -> Figure:
    said = f"{len(wrong)} after {killed} kills in {number} histories"
    return Figure(NAME, name, said, float(len(wrong)), at_most=0, note=wrong[0][:100] if wrong else "")
