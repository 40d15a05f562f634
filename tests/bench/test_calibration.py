"""Odds come true on the held-back part of a real log, and say more than the step's rate or three quarters of its time."""

from __future__ import annotations

import pytest

from bench.calibration import ENOUGH, outcome, predict
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
    """The purchase log: every tenth with enough predictions. (The order log slows down all along; see docs/performance.md.)"""
    with store.writer() as client:
        found = outcome(predict(client, LOGS["purchase log"](), fits=8))
    counted = [(n, said, came) for n, said, came in found.tenths if n >= ENOUGH]
    assert len(counted) >= 4
    assert [t for t in counted if abs(t[1] - t[2]) > 0.05] == []
