"""kill -9 between the writes of an alerting step: nothing is lost, and nothing is doubled in inbox and webhook id."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.kill import live_through


def test_killed_again_and_again_the_same_notices_come(tmp_path: Path) -> None:
    """One history: killed before its notice was written, then before the send, then after it. The bench does all of it."""
    killed, wrong = live_through(tmp_path, ["state:2", "claimed:1", "sent:2"])
    assert wrong == [] and killed == 3
