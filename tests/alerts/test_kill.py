"""kill -9 between the writes of an alerting step: nothing is lost, and nothing is doubled in inbox and webhook id."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

from tests.alerts.kill import POINTS, live_through
from tests.commands.process import migrated

KILLS = int(os.environ.get("O2C_KILLS", "1"))
# Before the first notice is written, after one was sent, before the last, and so on; the bench does hundreds.
EVERYDAY = ["state:2", "sent:1", "state:4"]


def test_killed_again_and_again_the_same_notices_come(tmp_path: Path) -> None:
    shutil.copytree(migrated(), tmp_path / "store", symlinks=True)
    more = (f"{name}:1" for name in itertools.cycle(POINTS))
    killed, wrong = live_through(tmp_path, [*itertools.islice(itertools.chain(EVERYDAY, more), KILLS)])
    assert wrong == [] and killed >= min(KILLS, len(EVERYDAY))
