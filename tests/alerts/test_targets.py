"""A target that is down is one alert; what would be sent to it is not told order by order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.alerts.tower import Tower


def breaker(tower: Tower, state: str, opened_at: datetime | None, revision: int) -> None:
    row: dict[str, Any] = {
        "target": "middleware", "state": state, "opened_at": opened_at, "said": "503 Service Unavailable",
        "updated_at": tower.now, "revision": revision,
    }  # fmt: skip
    with tower.store.writer() as client:
        client.insert("target_states", [list(row.values())], column_names=list(row))


def test_a_target_that_is_down_is_told_once_and_again_when_it_is_well(tower: Tower) -> None:
    opened_at = tower.now
    breaker(tower, "open", opened_at, 1)
    tower.step(1)
    tower.restart()
    breaker(tower, "half_open", opened_at, 2)
    for _ in range(2):
        tower.step(20)
    breaker(tower, "closed", None, 3)
    for _ in range(4):
        tower.step(20)
    inbox = tower.rows(
        "SELECT reason, JSONExtractString(body, 'data', 'breaches', 1, 'kind') FROM notices FINAL WHERE channel = 'inbox' ORDER BY at"
    )
    assert inbox == [("new", "target_down"), ("resolved", "")]
