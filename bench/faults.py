"""kill -9 between any two writes of alerting, and at any moment of acting, again and again: nothing lost or doubled."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from bench.figure import Figure
from tests.actions import kill as actions
from tests.alerts.kill import POINTS, live_through

NAME = "faults"
_PER_HISTORY = 5
Live = Callable[[Path, random.Random], tuple[int, list[str]]]


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Two hundred kills each (ten when quick) at seeded points over histories of which the right end is known."""
    wanted, alerting, acting = 10 if quick else 200, folder / "alerting", folder / "acting"
    return [
        _kills("notices lost, doubled or unaudited", alerting, wanted, random.Random(7), _alerts),
        _kills("actions under a second key, unended or unaudited", acting, wanted, random.Random(11), _actions),
    ]


def _alerts(home: Path, rng: random.Random) -> tuple[int, list[str]]:
    points = [f"{rng.choice(POINTS)}:{rng.randint(1, 3)}" for _ in range(_PER_HISTORY)]
    killed, found = live_through(home, points)
    return killed, [f"{' '.join(points)}: {line}" for line in found]


def _actions(home: Path, rng: random.Random) -> tuple[int, list[str]]:
    return actions.live_through(home, rng, _PER_HISTORY)


def _kills(name: str, folder: Path, wanted: int, rng: random.Random, live: Live) -> Figure:
    """Live through histories until so many processes were killed. live: how many of one history, and what is wrong."""
    killed = number = 0
    wrong: list[str] = []
    while killed < wanted and number < 2 * wanted:
        home = folder / f"history-{number}"
        home.mkdir(parents=True)
        died, found = live(home, rng)
        killed, number, wrong = killed + died, number + 1, wrong + found
    said = f"{len(wrong)} after {killed} kills in {number} histories"
    return Figure(NAME, name, said, float(len(wrong)), at_most=0, note=wrong[0][:100] if wrong else "")
