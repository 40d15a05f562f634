"""Odds come true on the held-back part of a real log, and say more than the step's rate or three quarters of its time."""

from __future__ import annotations

import pytest

from bench.calibration import BOUND, ENOUGH, Prediction, Tenth, outcome, predict, predict_halves
from bench.process_logs import DATA, LOGS
from tower.store.client import Store

needs_logs = pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared logs are not at {DATA}")


@needs_logs
@pytest.mark.parametrize("log", LOGS)
def test_odds_are_nearer_to_what_comes_than_a_rate_or_a_fixed_share(store: Store, log: str) -> None:
    with store.writer() as client:
        found = outcome(predict(client, LOGS[log](), fits=4))
    assert found.predictions > 200
    assert found.brier < found.brier_rate
    assert found.brier < found.brier_share


@needs_logs
def test_what_is_said_of_a_steady_process_comes_within_five_points(store: Store) -> None:
    """The purchase log: every tenth with enough clocks. (The order log slows down all along; see docs/performance.md.)"""
    with store.writer() as client:
        found = outcome(predict(client, LOGS["purchase log"](), fits=8))
    counted = [t for t in found.tenths if t.clocks >= ENOUGH]
    assert len(counted) >= 3
    assert [t for t in counted if t.gap > BOUND] == []


@needs_logs
@pytest.mark.parametrize("log", ["order log", "purchase log"])
def test_what_is_said_of_starts_that_were_held_back_comes_within_five_points(store: Store, log: str) -> None:
    with store.writer() as client:
        found = outcome(predict_halves(client, LOGS[log]()))
    counted = [t for t in found.tenths if t.clocks >= ENOUGH]
    assert len(counted) >= 3
    assert [t for t in counted if t.gap > BOUND] == []


def test_a_tenth_with_enough_clocks_is_surer_than_the_bound() -> None:
    assert Tenth(ENOUGH, ENOUGH, 0.5, 0.5).noise <= BOUND < Tenth(ENOUGH, ENOUGH - 1, 0.5, 0.5).noise


def test_a_clock_that_is_asked_four_times_counts_once() -> None:
    said = [Prediction(0.52 + age / 100, 0.5, 0.0, bool(n % 2), ("pay", n)) for n in range(50) for age in range(4)]
    (tenth,) = outcome(said).tenths
    assert (tenth.predictions, tenth.clocks, tenth.came) == (200, 50, 0.5)
