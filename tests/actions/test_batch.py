"""Waves as arithmetic: sizes add up, and no wave opens before enough of the one before is proved."""

from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tower.actions.batch import RAMP, Frozen, turn_of, waves_of

ENDS = ("verified", "no_effect", "failed", "expired", "cancelled")


@given(st.integers(0, 6000), st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_the_sizes_of_waves_add_up_and_follow_the_ramp(count: int, ramp: list[int]) -> None:
    sizes = waves_of(count, ramp)
    assert sum(sizes) == count
    assert all(0 < size <= ramp[min(n, len(ramp) - 1)] for n, size in enumerate(sizes))
    assert all(size == ramp[min(n, len(ramp) - 1)] for n, size in enumerate(sizes[:-1]))


def test_the_usual_ramp() -> None:
    assert waves_of(700, RAMP) == (1, 5, 20, 100, 500, 74)
    assert waves_of(3, RAMP) == (1, 2)
    assert waves_of(0, RAMP) == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 60), st.floats(0, 1), st.integers(0, 2**32), st.sampled_from([(1, 5, 20), (2,), (3, 1)]))
def test_a_batch_goes_to_its_end_or_stops_for_a_reason(
    count: int, least: float, seed: int, ramp: tuple[int, ...]
) -> None:
    frozen = Frozen("a", "R1", least, waves_of(count, ramp))
    if not frozen.ramped:
        return
    dice = random.Random(seed)  # no secret
    items = [[wave, "requested"] for wave, size in enumerate(frozen.waves) for _ in range(size)]
    while any(state == "requested" or state == "sent" for _, state in items):
        counts: dict[int, dict[str, int]] = {}
        for wave, state in items:
            counts.setdefault(wave, {})[state] = counts.get(wave, {}).get(state, 0) + 1
        turn = turn_of(frozen, counts, 0)
        for wave in range(turn.wave):
            size = sum(n for s, n in counts[wave].items() if s != "cancelled")
            assert counts[wave].get("verified", 0) >= math.ceil(least * size)
        if turn.stop:
            states = counts[turn.wave]
            size = sum(n for s, n in states.items() if s != "cancelled")
            ended_badly = sum(n for s, n in states.items() if s in ("no_effect", "failed", "expired"))
            assert size - ended_badly < math.ceil(least * size)
            return
        can = [i for i in items if (i[1] == "requested" and i[0] <= turn.wave) or i[1] == "sent"]
        assert can, "nothing may go, nothing is under way and nothing said stop"
        chosen = dice.choice(can)
        chosen[1] = "sent" if chosen[1] == "requested" else dice.choice(ENDS)
