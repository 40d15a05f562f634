"""A batch: how an action's items go in waves, and what its state is. Pure; rows come from tower/actions/batches.py."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tower.actions.item import IN_FLIGHT

RAMP = (1, 5, 20, 100, 500)  # sizes of the waves; the last one repeats
AT_ONCE = 20  # so many orders that somebody listed one by one go without a ramp
LEAST_VERIFIED = 0.8
UNSENT = ("requested", "approved")


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was fixed at the click; see migration 0026."""

    action_id: str
    safety: str
    least_verified: float
    waves: tuple[int, ...]
    filter: str = ""
    orders: tuple[str, ...] = ()

    @property
    def ramped(self) -> bool:
        """Whether it goes in waves, so that it can also stop."""
        return len(self.waves) > 1


@dataclass(frozen=True, slots=True)
class Step:
    """Something said about a batch after the click."""

    step: str
    actor: str
    reason: str
    wave: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """Up to which wave items may go now; stop says why none may go any more."""

    wave: int
    stop: str = ""


def waves_of(count: int, ramp: Sequence[int] = RAMP) -> tuple[int, ...]:
    """Return the sizes of the waves of so many items. They add up to count; no wave is empty."""
    sizes: list[int] = []
    while count > 0:
        sizes.append(min(count, ramp[min(len(sizes), len(ramp) - 1)]))
        count -= sizes[-1]
    return tuple(sizes)


def state_of(safety: str, steps: Sequence[Step]) -> str:
    """Return requested (waits for a second person), running, paused, stopped or cancelled: the last step tells."""
    if not steps:
        return "requested" if safety == "R3" else "running"
    return {"pause": "paused", "stop": "stopped", "cancel": "cancelled"}.get(steps[-1].step, "running")


def forgiven(steps: Sequence[Step]) -> int:
    """Return how many waves are judged no more, because somebody looked at a stop and resumed."""
    return max((s.wave + 1 for s in steps if s.step == "stop"), default=0)


def turn_of(frozen: Frozen, counts: Mapping[int, Mapping[str, int]], judged_from: int) -> Turn:
    """Return whose turn it is.

    counts: items by state of each wave. A wave opens when enough of the one before are verified, and all of it stops
    as soon as one cannot come to enough any more; cancelled items count neither way.
    """
    last = len(frozen.waves) - 1
    if not frozen.ramped:
        return Turn(max(last, 0))
    for wave in range(last + 1):
        if wave < judged_from:
            continue
        states = counts.get(wave, {})
        size = sum(n for state, n in states.items() if state != "cancelled")
        verified, open_ = states.get("verified", 0), sum(states.get(s, 0) for s in IN_FLIGHT)
        needed = math.ceil(frozen.least_verified * size)
        if verified + open_ < needed:
            return Turn(wave, _stopped(wave, states, size, frozen.least_verified))
        if verified < needed:
            return Turn(wave)
    return Turn(last)


def _stopped(wave: int, states: Mapping[str, int], size: int, least: float) -> str:
    bad = ", ".join(f"{n} {s}" for s, n in sorted(states.items()) if s not in ("verified", "cancelled", *IN_FLIGHT))
    return f"wave {wave + 1}: {bad} of {size}, so fewer than {least:.0%} can be verified"
