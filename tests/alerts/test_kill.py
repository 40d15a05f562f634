"""kill -9 between the writes of an alerting step: nothing is lost, and nothing is doubled in inbox and webhook id."""

from __future__ import annotations

from pathlib import Path

from tests.alerts.kill import live_through


def test_killed_again_and_again_the_same_notices_come(tmp_path: Path) -> None:
    """Killed before the first notice is written, after one was sent, and before the last; the bench does hundreds."""
    killed, wrong = live_through(tmp_path, ["state:2", "sent:1", "state:4"])
    assert wrong == [] and killed == 3
